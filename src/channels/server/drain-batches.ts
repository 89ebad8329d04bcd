import { checkKnown } from "../../process/internal.ts";
import { checkInteger } from "../../support/internal.ts";

/** How the clients of an endpoint that stops are sent away. */
export interface DrainOptions {
  /** Clients sent away at once; default 100. More, if all have to be gone in time. */
  readonly batchSize?: number;
  /** Time between two batches; default 100: a thousand clients a second. */
  readonly intervalMs?: number;
  /** From the first batch to the last; default 10,000. */
  readonly withinMs?: number;
}

/** `DrainOptions`, read. */
export type Drain = Required<DrainOptions>;

const names: ReadonlySet<string> = new Set(["batchSize", "intervalMs", "withinMs"]);

/** @throws SLUICE_INVALID_OPTION */
export function drainOf(options: DrainOptions = {}): Drain {
  const { batchSize = 100, intervalMs = 100, withinMs = 10_000 } = options;
  checkKnown("drain", options, names);
  checkInteger("drain.batchSize", batchSize, 1);
  checkInteger("drain.intervalMs", intervalMs, 1);
  checkInteger("drain.withinMs", withinMs, 1);
  return { batchSize, intervalMs, withinMs };
}

/** Clients in batches of one size, as few as go into the time. */
export function batchesOf<T>(clients: readonly T[], drain: Drain): readonly (readonly T[])[] {
  const most = Math.floor(drain.withinMs / drain.intervalMs) + 1;
  const size = Math.max(drain.batchSize, Math.ceil(clients.length / most));
  const batches: (readonly T[])[] = [];
  for (let at = 0; at < clients.length; at += size) batches.push(clients.slice(at, at + size));
  return batches;
}
