import type { Addressable, ExitReason } from "../support/internal.ts";
import type { Token } from "../runtime/internal.ts";
import type { Fn } from "./behaviour.ts";
import type { CallbackName } from "./callback-names.ts";

/** Stands where a message would be, its name saying why there is none. */
export interface Refusal {
  /** Never there: a type only. */
  readonly "~refusal": true;
}

/** The messages of a process: its public methods without the callbacks. */
export type MessageName<P> = {
  [K in keyof P]: K extends CallbackName ? never : P[K] extends Fn | Refusal ? K : never;
}[keyof P];

/** Fire-and-forget side of a process; a cast to a full mailbox or to nobody is dropped and counted. */
export type Casts<P> = {
  readonly [
    K in keyof P as K extends CallbackName ? never : P[K] extends Fn | Refusal ? K : never
  ]: P[K] extends (...args: infer A) => unknown ? (...args: A) => void : P[K];
};

/** Request-reply side of a process: every result is a promise, which rejects and never crashes the caller. */
export type Calls<P> = {
  readonly [
    K in keyof P as K extends CallbackName ? never : P[K] extends Fn | Refusal ? K : never
  ]: P[K] extends { readonly "~call": infer Call }
    ? Call
    : P[K] extends (...args: infer A) => infer R
      ? (...args: A) => Promise<Awaited<R>>
      : P[K];
};

/** In the place of what a process emits: it is no producer. */
export interface NotAProducer extends Refusal {}
/** In the place of what a process accepts: it is no consumer. */
export interface NotAConsumer extends Refusal {}
/** What a process emits, for subscriptions. */
export type Emission<P> = P extends { readonly "~emits": infer E } ? E : NotAProducer;
/** What a process accepts, for subscriptions. */
export type Acceptance<P> = P extends { readonly "~accepts": infer E } ? E : NotAConsumer;

/** Limits of one call. */
export interface CallOptions {
  /** Most ms to wait for the reply; `Infinity` for no limit; default 5,000. */
  readonly timeoutMs?: number;
  /** Gives the call up; the process still works on it. */
  readonly signal?: AbortSignal;
}

/** Anything messages can be sent to: a ref, a name, a supervisor's child slot. */
export interface Target<P> extends Addressable {
  /** Sends and forgets; dropped and counted when nobody is there or the mailbox is full. */
  readonly cast: Casts<P>;
  /**
   * Sends and waits for the reply, 5 s at most.
   * @throws SLUICE_NO_PROCESS, SLUICE_EXITED, SLUICE_TIMEOUT, SLUICE_MAILBOX_FULL, SLUICE_SELF_CALL as rejections
   */
  readonly call: Calls<P>;
  /** `call` with other limits than the default 5 s. */
  callWith(options: CallOptions): Calls<P>;
  /** What the process emits; a type only. */
  readonly "~emits": Emission<P>;
  /** What the process accepts; a type only. */
  readonly "~accepts": Acceptance<P>;
}

/** Plain, cloneable address of a process on a thread of this node; nodes talk by pubsub only. */
export interface Address<P> {
  /** The thread, 0 for the main one. */
  readonly thread: number;
  /** The process on that thread. */
  readonly id: number;
  /** A type only. */
  readonly "~emits"?: Emission<P>;
}

/** One incarnation of one process. */
export interface Ref<P> extends Target<P> {
  /** Its label and number, unique in its system. */
  readonly pid: string;
  /** Plain data that leads to it from another thread. */
  readonly address: Address<P>;
}

/** A ref whose holder owns the process. */
export interface Running<P> extends Ref<P>, AsyncDisposable {
  /**
   * Stops it in order and resolves when it is gone; after `timeoutMs` (default: its own `shutdown`, twice) it is killed.
   */
  stop(reason?: ExitReason, options?: { readonly timeoutMs?: number }): Promise<void>;
  /** Settles with the reason when the process is gone. */
  readonly exited: Promise<ExitReason>;
}

/** A registered name, resolved in the current system at each send. */
export interface Name<P> extends Target<P>, Token<Name<P>> {
  /** The text that makes two names one. */
  readonly key: string;
  /** The process now registered, if any. */
  whereis(): Ref<P> | undefined;
  /** A type only. */
  readonly "~registers": (process: P) => void;
}

/** A name under which `P` may be registered. */
export interface NameFor<P> {
  /** The text that makes two names one. */
  readonly key: string;
  /** A type only. */
  readonly "~registers": (process: P) => void;
}
