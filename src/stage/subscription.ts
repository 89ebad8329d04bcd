import {
  checkInteger,
  invalidOption,
  type Addressable,
  type ExitReason,
} from "../support/internal.ts";
import type { Ref } from "../process/index.ts";
import { dispatchTermNames, dispatchTerms, type DispatchTerms } from "./dispatch-terms.ts";

/** Brand content: what a stage emits. A record keeps it covariant. */
export interface Emitting<T> {
  /** A type only. */
  readonly event: T;
}
/** Brand content: what a stage accepts. */
export interface Accepting<T> {
  /** A type only. */
  readonly event: (event: T) => void;
}

/** Anything that emits events assignable to `T`: the ref, name or child slot of a producer. */
export interface Source<T> {
  /** A type only. */
  readonly "~emits": Emitting<T>;
}

/** One subscription and its demand window. */
export interface Subscription<T> extends DispatchTerms<T> {
  /** Whose events. */
  readonly to: Source<T>;
  /** Most events in flight; default 1000. */
  readonly maxDemand?: number;
  /** Ask again when this few are left; default half of `maxDemand`. In a ConsumerSupervisor `maxDemand − 1`. */
  readonly minDemand?: number;
  /**
   * What the end of the producer, or of the subscription, means for the consumer: `"permanent"` it ends too,
   * `"transient"` only after a crash, `"temporary"` it goes on. Default `"permanent"`.
   */
  readonly cancel?: "permanent" | "transient" | "temporary";
}

/** What `handleSubscribe` and a dispatcher see of a subscription. */
export interface SubscriptionTerms extends DispatchTerms<never> {
  /** Most events in flight. */
  readonly maxDemand: number;
  /** It asks again when this few are left. */
  readonly minDemand: number;
  /** It handles events one after the other, in the order in which they come; false: several at once, in any order. */
  readonly inOrder: boolean;
}

/** Producers to subscribe to at start, in order. */
export type Subscriptions<T> = readonly (Source<T> | Subscription<T>)[];

/** How much may be in flight on a subscription. */
export interface DemandWindow {
  /** Most events in flight. */
  readonly maxDemand: number;
  /** Ask again when this few are left; default as for a new subscription. */
  readonly minDemand?: number;
}

/** The other side of a subscription, as callbacks see it. */
export interface From {
  /** The process there. */
  readonly ref: Ref<unknown>;
  /** Tells subscriptions apart. */
  readonly tag: number;
  /** Ends the subscription; the consumer acts by its `cancel` mode. Default reason `"normal"`. */
  cancel(reason?: ExitReason): void;
  /** Asks for `count` more events, for a subscription made `"manual"`. @throws SLUICE_INVALID_OPTION */
  ask(count: number): void;
  /**
   * From the next batch or event on nothing of this subscription is handled, and nothing is asked for. What was asked for
   * still comes and waits, at most `maxDemand` events, and so does its end; a drain waits for them, a crash loses them.
   * Other subscriptions go on. For the consumer's side; may be called from anywhere, at any time.
   * @throws SLUICE_INVALID_OPTION on the producer's side
   */
  pause(): void;
  /**
   * Ends a pause: what waits is handled first, in order, and what the window lacks is asked for.
   * @throws SLUICE_INVALID_OPTION on the producer's side
   */
  resume(): void;
  /**
   * Sets a new window. A larger one is filled up at once; with a smaller one what is in flight still comes, and nothing
   * is asked for until `minDemand` is left. One made `"manual"` asks for nothing by itself.
   * @throws SLUICE_INVALID_OPTION, and the window stays as it was
   */
  setDemand(window: DemandWindow): void;
}

/** A checked subscription. */
export interface Wanted extends Omit<SubscriptionTerms, "inOrder"> {
  readonly to: Addressable;
  readonly cancel: "permanent" | "transient" | "temporary";
}

const defaultMaxDemand = 1_000;
const cancelModes: readonly string[] = ["permanent", "transient", "temporary"];
const known: readonly string[] = ["to", "maxDemand", "minDemand", "cancel", ...dispatchTermNames];

function isAddressable(value: unknown): value is Addressable {
  return typeof value === "object" && value !== null && "~resolve" in value;
}

/** The given subscription as an object, whatever is in it. */
function objectOf(given: unknown): { readonly [option: string]: unknown } {
  if (isAddressable(given)) return { to: given };
  return typeof given === "object" && given !== null ? { ...given } : {};
}

/** Both ends of a window. @throws SLUICE_INVALID_OPTION */
function windowOf(
  options: { readonly [option: string]: unknown },
  path: string,
  leastDefault: (maxDemand: number) => number,
): Required<DemandWindow> {
  const { maxDemand = defaultMaxDemand } = options as Partial<DemandWindow>;
  checkInteger(`${path}.maxDemand`, maxDemand, 1);
  const { minDemand = leastDefault(maxDemand) } = options as Partial<DemandWindow>;
  checkInteger(`${path}.minDemand`, minDemand, 0, maxDemand - 1);
  return { maxDemand, minDemand };
}

/** A new window for a live subscription. @throws SLUICE_INVALID_OPTION */
export function demandWindow(
  given: unknown,
  path: string,
  leastDefault: (maxDemand: number) => number,
): Required<DemandWindow> {
  if (typeof given !== "object" || given === null)
    throw invalidOption(path, given, "{ maxDemand, minDemand? }");
  for (const [option, value] of Object.entries(given))
    if (option !== "maxDemand" && option !== "minDemand")
      throw invalidOption(`${path}.${option}`, value, "one of the options maxDemand, minDemand");
  const { maxDemand } = given as Partial<DemandWindow>;
  checkInteger(`${path}.maxDemand`, maxDemand, 1);
  return windowOf({ ...given }, path, leastDefault);
}

/**
 * A subscription with its defaults; `path` tells where it was given. @throws SLUICE_INVALID_OPTION
 */
export function wanted(
  given: unknown,
  path: string,
  leastDefault: (maxDemand: number) => number,
): Wanted {
  const options = objectOf(given);
  const { to, cancel = "permanent" } = options;
  if (!isAddressable(to))
    throw invalidOption(path, given, "a ref, a name, a child, or { to: one of these }");
  for (const option of Object.keys(options))
    if (!known.includes(option))
      throw invalidOption(
        `${path}.${option}`,
        options[option],
        `one of the options ${known.join(", ")}`,
      );
  const window = windowOf(options, path, leastDefault);
  if (!cancelModes.includes(cancel as string))
    throw invalidOption(
      `${path}.cancel`,
      cancel,
      cancelModes.map((mode) => `"${mode}"`).join(", "),
    );
  const terms = dispatchTerms(options, path);
  return { to, ...window, cancel, ...terms } as Wanted;
}
