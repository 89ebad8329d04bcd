import type { Addressable } from "../support/internal.ts";
import { cellAt, checkKnown, checkMs } from "./check.ts";
import { drainWithin } from "./drain-rounds.ts";
import type { Backlog } from "./backlog.ts";

/** How to drain. */
export interface DrainOptions {
  /** Ms until it is over, with whatever is left; default 30,000, `Infinity` without limit. */
  readonly timeoutMs?: number;
}

const known: ReadonlySet<string> = new Set(["timeoutMs"]);

/** One process that was not empty when the drain was over. */
export interface Leftover {
  /** Which process. */
  readonly pid: string;
  /** Its id below its supervisor, or its name. */
  readonly label: string;
  /** How much waits where. */
  readonly backlog: Backlog;
}

/** What a drain could not get out. */
export interface DrainReport {
  /** Who has something left, parents first; empty when all went out. */
  readonly left: readonly Leftover[];
  /** How long it took. */
  readonly elapsedMs: number;
}

/**
 * Lets a process and all below it finish what they have, and takes nothing new from the sources: what each stage holds
 * flows downstream until nothing waits, is in hand, or runs beside a mailbox (`self.task`, the children of a
 * ConsumerSupervisor). Nothing is aborted and nobody is stopped. Resolves with what is left when all is out, when nothing
 * moves any more (nobody takes it), or after `timeoutMs`.
 *
 * The sources stay closed: what follows is a stop, or a restart of the sources. A function that is a child (`task`) is
 * neither waited for nor reported: its signal tells it when the tree stops; nor is a timer. Nobody there: nothing is left.
 *
 * ```ts
 * import { child, consumer, drain, from, name, sleep, startSupervisor, type Producer } from "sluice";
 *
 * const ticks = name<Producer<number>>("ticks");
 * async function* count(): AsyncGenerator<number> {
 *   for (let n = 1; ; n++) {
 *     await sleep(1);
 *     yield n;
 *   }
 * }
 * const print = consumer((numbers: readonly number[]) => console.info(numbers));
 * await using app = await startSupervisor({
 *   strategy: "rest_for_one",
 *   children: { ticks: child(from(count), { name: ticks }), print: child(print, { subscribeTo: [ticks] }) },
 * });
 * await sleep(10);
 * const { left } = await drain(app, { timeoutMs: 5_000 });
 * console.info(left.length === 0 ? "all out" : left);
 * ```
 * @throws SLUICE_INVALID_OPTION as a rejection
 */
export async function drain(target: Addressable, options: DrainOptions = {}): Promise<DrainReport> {
  checkKnown("drain", options, known);
  const { timeoutMs = 30_000 } = options;
  checkMs("timeoutMs", timeoutMs);
  const cell = cellAt(target);
  return cell === undefined ? { left: [], elapsedMs: 0 } : drainWithin(cell, timeoutMs);
}
