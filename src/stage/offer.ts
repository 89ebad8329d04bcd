import { SluiceError } from "../support/internal.ts";
import { thread } from "../runtime/internal.ts";
import { State, drop, type Cell, type Deferred } from "../process/internal.ts";

type Settle = (error: unknown, value: unknown) => void;

/**
 * Events that wait to be taken or buffered, and the promise of it. Returned from a message it holds the reply, not the
 * mailbox. A callback that awaits it would hold the mailbox through which the asks come: that is noticed, and rejects.
 */
export class Offer implements Promise<void>, Deferred {
  readonly [Symbol.toStringTag] = "Offer";
  readonly cell: Cell;
  /** The message whose callback made it, as a number. */
  readonly madeIn: number | undefined;
  readonly events: readonly unknown[];
  readonly enteredMs: number;
  /** Where the part that still waits begins. */
  start = 0;
  settled = false;
  error: unknown = undefined;
  /** Somebody waits for it, or has. */
  heard = false;
  listeners: Settle[] | undefined = undefined;
  /** Takes it out of the line. */
  withdraw: (() => void) | undefined = undefined;

  constructor(cell: Cell, events: readonly unknown[], enteredMs: number) {
    this.cell = cell;
    // Work beside the mailbox may await it, whatever message is in hand meanwhile.
    const tasks = (cell.more?.own?.tasks ?? 0) + (cell.more?.beside ?? 0);
    const beside = thread.running !== cell && tasks > 0;
    this.madeIn = beside ? undefined : cell.handled;
    this.events = events;
    this.enteredMs = enteredMs;
  }

  settle(error: unknown): void {
    if (this.settled) return;
    this.settled = true;
    this.error = error;
    const { listeners } = this;
    this.listeners = undefined;
    if (listeners !== undefined) for (const listener of listeners) listener(error, undefined);
    else if (error !== undefined) void Promise.resolve().then(() => this.heard || this.dropped());
  }

  /** Nobody waits for it: what was refused is counted as what a cast loses. */
  dropped(): void {
    if (this.cell.state !== State.dead) drop(this.cell, this.cell.table);
  }

  "~settled"(listener: Settle): void {
    this.heard = true;
    if (this.settled) listener(this.error, undefined);
    else (this.listeners ??= []).push(listener);
  }

  // oxlint-disable-next-line unicorn/no-thenable -- an offer is a promise that knows who awaits it
  then<A = void, B = never>(
    fulfilled?: ((value: void) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this["~settled"]((error) => (error === undefined ? resolve() : reject(error)));
    // Whether the callback that made it holds the mailbox is known once that callback has returned.
    if (!this.settled) void Promise.resolve().then(() => this.refuseDeadlock());
    return promise.then(fulfilled, rejected);
  }

  catch<B = never>(rejected?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<void | B> {
    return this.then(undefined, rejected);
  }

  finally(last?: (() => void) | null): Promise<void> {
    return this.then(undefined, undefined).finally(last);
  }

  refuseDeadlock(): void {
    const { cell, madeIn } = this;
    const holding = madeIn === cell.handled;
    // Nobody can subscribe before `init` has ended.
    if (this.settled || !cell.busy || !(holding || cell.state === State.starting)) return;
    this.withdraw?.();
    const { pid } = cell;
    const message = `${pid} awaits its own offer, which waits for the mailbox that it holds: return the offer itself, from a message that is not async`;
    this.settle(new SluiceError("SLUICE_OFFER_AWAITED", message, { pid }));
  }
}
