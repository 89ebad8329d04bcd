import { SluiceError } from "../support/internal.ts";
import type { Slot, System } from "../runtime/internal.ts";
import type { Cell } from "./cell.ts";

/** All processes of a system: an intrusive list, so that a start and an end cost a few writes; and who has which name. */
export class ProcessTable {
  first: Cell | undefined = undefined;
  count = 0;
  /** Killed while a callback ran, and the callback has not ended. */
  zombies = 0;
  /** Casts to nobody, to a stopping process, or to a full mailbox. */
  dropped = 0;
  readonly names: Map<string, Cell> = new Map();
  /** Processes that others address by number. */
  readonly addressed: Map<number, Cell> = new Map();
  /** What a message between stages goes through on its way; a test puts a clone here, to prove that it is data. */
  wire: (<M extends object>(message: M) => M) | undefined = undefined;

  add(cell: Cell): void {
    const { first } = this;
    cell.after = first;
    if (first !== undefined) first.before = cell;
    this.first = cell;
    this.count++;
  }

  remove(cell: Cell): void {
    if (cell.before === undefined) this.first = cell.after;
    else cell.before.after = cell.after;
    if (cell.after !== undefined) cell.after.before = cell.before;
    cell.before = cell.after = undefined;
    this.count--;
    if (this.addressed.size > 0) this.addressed.delete(cell.id);
  }

  /** @throws SLUICE_ALREADY_REGISTERED */
  register(key: string, cell: Cell): void {
    const holder = this.names.get(key);
    if (holder !== undefined) {
      throw new SluiceError(
        "SLUICE_ALREADY_REGISTERED",
        `the name ${key} belongs to ${holder.pid}`,
        {
          key,
          holder: holder.ref,
        },
      );
    }
    this.names.set(key, cell);
  }

  *[Symbol.iterator](): IterableIterator<Cell> {
    for (let cell = this.first; cell !== undefined; cell = cell.after) yield cell;
  }
}

/** Where a system keeps its processes. */
export const processes: Slot<ProcessTable> = {
  key: "process.table",
  create: (_system: System) => new ProcessTable(),
};
