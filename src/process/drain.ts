import type { Cell } from "./cell.ts";
import { DrainMessage } from "./message.ts";
import { gone, killTree, stopCell } from "./spawn.ts";
import { State } from "./state.ts";

/** All processes from this one down that have work of their own; one that can drain answers for those below it too. */
function workers(cell: Cell, found: Cell[] = []): Cell[] {
  const drains = cell.engine?.drain !== undefined;
  const children = drains ? undefined : cell.more?.children;
  if (children !== undefined) for (const child of children) workers(child, found);
  // A function that is a process has no mailbox to empty: its signal tells it when the tree stops.
  const works = cell.engine?.role !== "supervisor" && cell.plan.work === undefined;
  if (drains || works) found.push(cell);
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
    cell.send(new DrainMessage({ settle }));
  });
}

const hasMessages = (cell: Cell): boolean => cell.waiting > 0 || cell.inHand !== undefined;

/**
 * Lets everything below finish: sources close first, then each process empties what waits in it. One round may hand
 * work from a process to one that was empty before, so rounds go on until one moves nothing and no message is under way,
 * or as many as there are processes: what still comes then comes from a process that goes on by itself.
 */
export async function drain(root: Cell): Promise<void> {
  let before = -1;
  for (let rounds = 0; ; rounds++) {
    const cells = workers(root);
    await Promise.all(cells.map(drainOne));
    const moved = cells.reduce((sum, cell) => sum + (cell.engine?.moved?.() ?? 0), cells.length);
    if ((moved === before && !cells.some(hasMessages)) || rounds > cells.length) return;
    before = moved;
  }
}

/** Of the time to end a tree, so much is for the drain; what then still works is told to stop, and has the rest. */
const drainShare = 0.75;

/** Ends a tree in order: drains it, then stops it, and kills what is left after `timeoutMs` in all. */
export async function drainAndStop(root: Cell, timeoutMs: number): Promise<void> {
  const { system } = root;
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timers = [
    system.after(timeoutMs * drainShare, resolve),
    system.after(timeoutMs, () => killTree(root)),
  ];
  // What has not started has nothing to drain.
  if (root.state === State.running) await Promise.race([drain(root), gone(root), late]);
  await stopCell(root, "shutdown");
  for (const timer of timers) system.cancel(timer);
}
