import { log } from "../telemetry/internal.ts";
import type { Cell } from "./cell.ts";
import type { DrainReport, Leftover } from "./drain.ts";
import { drainMessage } from "./message.ts";
import { gone, killTree, stopCell } from "./spawn.ts";
import { State } from "./state.ts";
import { describeBacklog, backlogOf } from "./backlog.ts";

/** All processes from this one down that have work of their own; a ConsumerSupervisor answers for those below it too. */
function workers(cell: Cell, found: Cell[] = []): Cell[] {
  const supervises = cell.engine?.role === "supervisor";
  const perEvent = supervises && cell.engine?.drain !== undefined;
  // A function that is a process has no mailbox to empty: its signal tells it when the tree stops.
  if (cell.plan.work === undefined && (perEvent || !supervises)) found.push(cell);
  const children = perEvent ? undefined : cell.children;
  if (children !== undefined) for (const child of children) workers(child, found);
  return found;
}

function drainOne(cell: Cell): Promise<void> {
  return new Promise((resolve) => {
    if (cell.state === State.dead) return resolve();
    const told = (cell.extras.onDead ??= new Set());
    // A process that fails to drain, or ends meanwhile, leaves nothing to wait for.
    const settle = (): void => {
      told.delete(settle);
      resolve();
    };
    told.add(settle);
    cell.send(drainMessage({ settle }));
  });
}

const hasWork = (cell: Cell): boolean => cell.waiting > 0 || cell.busy;
const moved = (cell: Cell): number =>
  (cell.engine?.moved?.() ?? 0) + (cell.more?.own?.tasksEnded ?? 0);

/** Rounds beyond one per process: for work that comes back to whom it came from, one piece after the other. */
const roundsMore = 1_000;

/**
 * Sources close first, then each process empties what waits in it. One round may hand work from a process to one that
 * was empty before, so rounds go on until one moves nothing and no message is under way, or they are too many: what
 * still comes then comes from a process that goes on by itself.
 */
async function drainRounds(root: Cell, isOver: () => boolean): Promise<void> {
  let before = -1;
  for (let rounds = 0; !isOver(); rounds++) {
    const cells = workers(root);
    await Promise.all(cells.map(drainOne));
    const now = cells.reduce((sum, cell) => sum + moved(cell), cells.length);
    if (now === before && !cells.some(hasWork)) return;
    if (rounds > cells.length + roundsMore) return;
    before = now;
  }
}

/** Who has something left now. */
function leftBelow(root: Cell): Leftover[] {
  if (root.state === State.dead) return [];
  return workers(root).flatMap((cell) => {
    const backlog = backlogOf(cell);
    return Object.keys(backlog).length === 0
      ? []
      : [{ pid: cell.pid, label: cell.plan.label, backlog }];
  });
}

/** Drains a process and all below it, for `timeoutMs` at most. */
export async function drainWithin(root: Cell, timeoutMs: number): Promise<DrainReport> {
  const { system } = root;
  const startMs = system.runtime.now();
  const { promise: late, resolve } = Promise.withResolvers<void>();
  let isOver = false;
  const timer = system.after(timeoutMs, () => {
    isOver = true;
    resolve();
  });
  await Promise.race([drainRounds(root, () => isOver), gone(root), late]);
  isOver = true;
  system.cancel(timer);
  return { left: leftBelow(root), elapsedMs: system.runtime.now() - startMs };
}

/** Of the time to end a tree, so much is for the drain; what then still works is told to stop, and has the rest. */
const drainShare = 0.75;

/** Ends a tree in order: drains it, says what is left, then stops it, and kills what is left after `timeoutMs` in all. */
export async function drainAndStop(root: Cell, timeoutMs: number): Promise<void> {
  const { system } = root;
  const timer = system.after(timeoutMs, () => killTree(root));
  // What has not started has nothing to drain.
  if (root.state === State.running) {
    const { left } = await drainWithin(root, timeoutMs * drainShare);
    for (const { pid, backlog } of left)
      log("warning", `${pid} was not empty when the program ended: ${describeBacklog(backlog)}`);
  }
  await stopCell(root, "shutdown");
  system.cancel(timer);
}
