import { checkInteger, invalidOption } from "../support/internal.ts";

/** How many events a stage works on at once. */
export interface ConcurrencyOptions<In> {
  /**
   * Calls of `handleEvents` in flight at most, over all subscriptions. Each gets one event (`batchSize`) and a signal of
   * its own; other messages are handled meanwhile, so that the fields of the stage may change across an `await`. Left out,
   * the stage is serial: one batch at a time, and a promise holds the mailbox.
   */
  readonly concurrency?: number;
  /** Events per call at most; default 1. A call takes what waits, it never waits for more. */
  readonly batchSize?: number;
  /**
   * With `order: "keyed"`, which it implies: events of the same key, compared as in a `Map`, are handled one call after
   * the other, in order, over all subscriptions. Keys cost nothing while none of their events is here.
   */
  readonly key?: (event: In) => unknown;
}

/** The order in which a stage works on what is in flight, or lets go what it made of it. */
export type ConcurrencyOrder = "unordered" | "ordered" | "keyed";

/** The checked options. */
export interface Concurrency {
  readonly places: number;
  readonly batchSize: number;
  readonly order: ConcurrencyOrder;
  readonly key: ((event: unknown) => unknown) | undefined;
}

/** The names of the options. */
export const concurrencyOptionNames: readonly string[] = [
  "concurrency",
  "batchSize",
  "order",
  "key",
];

/** The checked options; none for a serial stage. `orders`: what such a stage knows, its default first. @throws SLUICE_INVALID_OPTION */
export function concurrencyOf(
  options: object,
  orders: readonly [ConcurrencyOrder, ...ConcurrencyOrder[]],
): Concurrency | undefined {
  const given = options as Readonly<Record<string, unknown>>;
  const { concurrency, batchSize = 1, key } = given;
  if (concurrency === undefined) {
    for (const option of concurrencyOptionNames)
      if (given[option] !== undefined)
        throw invalidOption(option, given[option], "nothing, without the option concurrency");
    return undefined;
  }
  checkInteger("concurrency", concurrency, 1);
  checkInteger("batchSize", batchSize, 1);
  if (key !== undefined && typeof key !== "function")
    throw invalidOption("key", key, "a function of an event");
  const { order = key === undefined ? orders[0] : "keyed" } = given;
  if (!(orders as readonly unknown[]).includes(order))
    throw invalidOption("order", order, orders.map((known) => `"${known}"`).join(", "));
  if ((order === "keyed") !== (key !== undefined))
    throw key === undefined
      ? invalidOption("key", key, 'a function of an event, with the order "keyed"')
      : invalidOption("order", order, '"keyed", or nothing, with a key');
  return { places: concurrency, batchSize, order, key } as Concurrency;
}

/**
 * What an unstated `minDemand` is: half of the window, as elsewhere, if that keeps all places busy; else each finished
 * call asks for as much as it had.
 */
export function leastFor({ places, batchSize }: Concurrency): (maxDemand: number) => number {
  return (maxDemand) =>
    maxDemand >= 2 * places * batchSize ? Math.floor(maxDemand / 2) : maxDemand - 1;
}
