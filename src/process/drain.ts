import type { Cell } from "./cell.ts";
import { State } from "./cell.ts";
import { DrainMessage } from "./message.ts";

/** All processes from this one down that have work of their own; one that can drain answers for those below it too. */
function workers(cell: Cell, found: Cell[] = []): Cell[] {
  const drains = cell.engine?.drain !== undefined;
  const children = drains ? undefined : cell.more?.children;
  if (children !== undefined) for (const child of children) workers(child, found);
  if (drains || cell.engine?.role !== "supervisor") found.push(cell);
  return found;
}

function drainOne(cell: Cell): Promise<void> {
  return new Promise((resolve) => {
    if (cell.state === State.dead) return resolve();
    // A process that fails to drain has ended or will be stopped: there is nothing left to wait for.
    cell.send(new DrainMessage({ settle: () => resolve() }));
  });
}

/**
 * Lets everything below finish: sources close first, then each process empties what waits in it. One round may hand
 * work from a process to one that was empty before, so rounds go on until one moves nothing.
 */
export async function drain(root: Cell): Promise<void> {
  let before = -1;
  for (;;) {
    const cells = workers(root);
    await Promise.all(cells.map(drainOne));
    const moved = cells.reduce((sum, cell) => sum + (cell.engine?.moved?.() ?? 0), cells.length);
    if (moved === before) return;
    before = moved;
  }
}
