import type { Cell } from "./cell.ts";

/**
 * The children of a process, the eldest first, as links in the children themselves: they come and go by the million, and
 * a Set that is replaced as it fills keeps the dead of its former tables from being collected.
 */
export class Brood {
  eldest: Cell | undefined = undefined;
  youngest: Cell | undefined = undefined;
  size = 0;

  add(child: Cell): void {
    this.size++;
    child.elder = this.youngest;
    if (this.youngest === undefined) this.eldest = child;
    else this.youngest.younger = child;
    this.youngest = child;
  }

  remove(child: Cell): void {
    this.size--;
    const { elder, younger } = child;
    if (elder === undefined) this.eldest = younger;
    else elder.younger = younger;
    if (younger === undefined) this.youngest = elder;
    else younger.elder = elder;
    child.elder = child.younger = undefined;
  }

  /** The child at hand may be removed meanwhile. */
  *[Symbol.iterator](): IterableIterator<Cell> {
    let child = this.eldest;
    while (child !== undefined) {
      const { younger } = child;
      yield child;
      child = younger;
    }
  }
}
