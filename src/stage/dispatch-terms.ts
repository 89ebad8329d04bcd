import { invalidOption } from "../support/internal.ts";
import type { Dispatcher } from "./dispatcher.ts";

/**
 * What becomes of events that a subscriber of a `broadcastDispatcher()` has not asked for when the others have:
 *
 * - `"wait"`: it may lag `maxLag` events behind the fastest, then the others wait for it too;
 * - `"dropOldest"`: the newest `maxLag` events are kept for it, older ones are dropped and counted;
 * - `{ latest }`: for each key the newest event is kept for it, at most `maxLag` keys, the rest dropped and counted;
 * - `"disconnect"`: when more than `maxLag` events wait for it, its subscription ends with `SLUICE_TOO_SLOW`.
 */
export type SlowSubscriber<T> =
  | "wait"
  | "dropOldest"
  | "disconnect"
  | { readonly latest: (event: T) => unknown };

/** What a subscription tells the dispatcher of its producer; which knows what of it, each dispatcher says. */
export interface DispatchTerms<T> {
  /** Which partition it reads, of a `partitionDispatcher()`. */
  readonly partition?: string | number;
  /** Which events it wants, of a `broadcastDispatcher()`; called in the producer. Default all. */
  readonly selector?: (event: T) => boolean;
  /** What happens when it is slower than others of a `broadcastDispatcher()`; default `"wait"`. */
  readonly slow?: SlowSubscriber<T>;
  /** Events that may wait for it there; default 0 with `"wait"`, the pace of the slowest, else 1,000. */
  readonly maxLag?: number;
  /** Its share of what a `fairDispatcher()` hands out, next to the weights of the others; default 1. */
  readonly weight?: number;
  /** Whatever a dispatcher of your own wants to know. */
  readonly dispatch?: unknown;
}

const slowPolicies: readonly unknown[] = ["wait", "dropOldest", "disconnect"];
const partition = (value: unknown): boolean =>
  typeof value === "string" || Number.isSafeInteger(value);
const policy = (value: unknown): boolean =>
  slowPolicies.includes(value) ||
  typeof (value as { readonly latest?: unknown } | null)?.latest === "function";

/** For each of the terms: what it may be, and in words. */
const known: {
  readonly [T in keyof Required<DispatchTerms<never>>]: readonly [
    fits: (value: unknown) => boolean,
    expected: string,
  ];
} = {
  partition: [partition, "the name or the number of a partition"],
  selector: [(value) => typeof value === "function", "a function of an event"],
  slow: [policy, '"wait", "dropOldest", "disconnect" or { latest: a function of an event }'],
  maxLag: [
    (value) => Number.isSafeInteger(value) && Number(value) >= 0,
    "a whole number, 0 or more",
  ],
  weight: [(value) => Number.isFinite(value) && Number(value) > 0, "a number above 0"],
  dispatch: [() => true, "anything"],
};
/** The names of what a subscription tells a dispatcher. */
export const dispatchTermNames: readonly (keyof DispatchTerms<never>)[] = Object.keys(
  known,
) as (keyof DispatchTerms<never>)[];

/** What of the options of a subscription is for the dispatcher. @throws SLUICE_INVALID_OPTION */
export function dispatchTerms(
  options: { readonly [option: string]: unknown },
  path: string,
): DispatchTerms<never> {
  const terms: Record<string, unknown> = {};
  for (const name of dispatchTermNames) {
    const value = options[name];
    if (value === undefined) continue;
    const [fits, expected] = known[name];
    if (!fits(value)) throw invalidOption(`${path}.${name}`, value, expected);
    terms[name] = value;
  }
  return terms;
}

/**
 * A subscription that counts on what the dispatcher of `stage` does not know would be served wrongly.
 * @throws SLUICE_INVALID_OPTION
 */
export function checkTerms(
  { options, kind }: Dispatcher<unknown>,
  terms: DispatchTerms<never>,
  stage: string,
): void {
  if (options === undefined) return;
  for (const name of dispatchTermNames)
    if (terms[name] !== undefined && !options.includes(name))
      throw invalidOption(
        `subscription.${name}`,
        terms[name],
        `nothing: the dispatcher of ${stage} is ${kind}, which does not go by it`,
      );
}
