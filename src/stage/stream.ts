import { invalidOption } from "../support/internal.ts";
import { checkOneOf } from "../process/internal.ts";
import { half } from "./batch-inlet.ts";
import type { DemandMode } from "./demand-mode.ts";
import { Reader } from "./stream-reader.ts";
import {
  wanted,
  type Accepting,
  type Source,
  type Subscription,
  type Subscriptions,
} from "./subscription.ts";
import type { Addressable } from "../support/internal.ts";
import type { Reading } from "./stream-engine.ts";

/** How to read: the window of each subscription that does not say otherwise, and until when. */
export interface StreamOptions {
  /** Most events on their way to the reader, and waiting for it, per producer; default 1,000. */
  readonly maxDemand?: number;
  /** Ask again when this few are left; default half of `maxDemand`. */
  readonly minDemand?: number;
  /**
   * What the end of a producer means. An orderly one (`"normal"`, `"shutdown"`): `"transient"` and `"temporary"` go on
   * with the others, `"permanent"` ends the reading. A crash, a kill, or that nobody is there: the reading fails, but with
   * `"temporary"`. Default `"transient"`.
   */
  readonly cancel?: "permanent" | "transient" | "temporary";
  /** Partition to read, of a partitioned producer. */
  readonly partition?: string | number;
  /**
   * What the producers do with demand, said to them when all are subscribed to: those that began with
   * `demand: "accumulate"` begin to flow with `"forward"`. Default `"forward"`.
   */
  readonly demand?: DemandMode;
  /**
   * Whose demand that is, instead of those that are read: of a producer-consumer, which knows only `"forward"`, the
   * producers behind it; `[]`, and nobody is told.
   */
  readonly producers?: readonly Source<unknown>[];
  /**
   * Ends the reading at once, which then fails with its reason. Default: the signal of the process whose callback makes
   * the first pull; none outside of processes.
   */
  readonly signal?: AbortSignal;
}

/** One reading of a stream: an async iterator, and a consumer that can be subscribed to further producers. */
export interface StreamReader<Out>
  extends AsyncIterableIterator<Out>, AsyncDisposable, Addressable {
  /** A type only. */
  readonly "~accepts": Accepting<Out>;
  /** The next event; the first call subscribes. */
  next(): Promise<IteratorResult<Out, undefined>>;
  /** Cancels all subscriptions and resolves when that is confirmed; what was on its way is let go. */
  return(): Promise<IteratorResult<Out, undefined>>;
  /** This reader. */
  [Symbol.asyncIterator](): StreamReader<Out>;
}

/** What `stream` returns: each iteration of it subscribes anew. */
export interface Stream<Out> extends AsyncIterable<Out> {
  /** A reader that has not subscribed yet. */
  [Symbol.asyncIterator](): StreamReader<Out>;
}

const isSource = (given: unknown): given is Addressable =>
  typeof given === "object" && given !== null && "~resolve" in given;

const isSourceList = (given: unknown): boolean => Array.isArray(given) && given.every(isSource);

/** The subscription of one source, which names it when something is wrong with it. */
function reading(given: unknown, defaults: object, place: string): Reading {
  const own: object = isSource(given) ? { to: given } : ((given as object | null) ?? {});
  const subscription = { cancel: "transient", ...defaults, ...own } as { readonly to?: unknown };
  const { to } = subscription;
  if (!isSource(to))
    throw invalidOption(place, given, "a ref, a name, a child, or { to: one of these }");
  const path = `stream of ${String(to)}`;
  return { subscription: wanted(subscription, path, half), path };
}

/**
 * Reads producers as an async iterable, with demand: nothing is asked for before the first pull, and the ask that follows
 * a batch is sent when the batch after it is pulled. So a reader that stops pulling stops its producers, and at most
 * `maxDemand` events per producer wait for it, in order for each producer. It is over when no subscription is left; the
 * crash of a producer rejects once, with `SLUICE_EXITED`, whose `cause` is what was thrown, after all that came before.
 * Leaving the loop cancels the subscriptions and waits for the confirmations; the producers go on, and what was on its
 * way to this reader is let go.
 *
 * ```ts
 * import { from, start, stream } from "sluice";
 *
 * await using numbers = await start(from(() => [1, 2, 3, 4]));
 * for await (const n of stream(numbers, { maxDemand: 10 })) {
 *   console.info(n);
 *   if (n === 3) break;
 * }
 * ```
 * @throws SLUICE_INVALID_OPTION at once, naming the producer. Pulls reject with SLUICE_NO_PROCESS, SLUICE_NOT_A_PRODUCER,
 *   SLUICE_EXITED, or the reason of `signal`
 */
export function stream<Out>(
  source: Source<Out> | Subscription<Out> | Subscriptions<Out>,
  options: StreamOptions = {},
): Stream<Out> {
  const { signal, demand = "forward", producers, ...defaults } = options;
  checkOneOf("stream: demand", demand, ["forward", "accumulate"]);
  if (producers !== undefined && !isSourceList(producers))
    throw invalidOption("stream: producers", producers, "a list of refs, names or children");
  if (signal !== undefined && typeof signal.addEventListener !== "function")
    throw invalidOption("stream: signal", signal, "an AbortSignal");
  const readings = Array.isArray(source)
    ? source.map((given, index) => reading(given, defaults, `stream: source[${index}]`))
    : [reading(source, defaults, "stream: source")];
  return {
    [Symbol.asyncIterator]: () =>
      new Reader({ readings, demand, producers, signal }) as unknown as StreamReader<Out>,
  };
}
