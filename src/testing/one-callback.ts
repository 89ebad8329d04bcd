import { State, isDeferred, type Cell, type Message } from "../process/internal.ts";

/** A process that waits, and where it stood when its step began. */
interface Waiting {
  readonly cell: Cell;
  readonly work: Promise<unknown>;
  readonly inHand: Message | undefined;
  readonly head: Message | undefined;
}

/** Watches that a process begins no callback while the promise of another is open. */
export class OneCallback {
  violation: string | undefined = undefined;
  readonly #open: WeakMap<Cell, Promise<unknown> | undefined> = new WeakMap();
  #waiting: Waiting | undefined = undefined;

  /** A process is about to take a step. */
  before(cell: Cell): void {
    if (!this.#open.has(cell)) this.#follow(cell);
    const work = this.#open.get(cell);
    const { inHand, head } = cell;
    this.#waiting = work === undefined ? undefined : { cell, work, inHand, head };
  }

  /** It has taken it. */
  after(): void {
    if (this.#waiting === undefined) return;
    const { cell, work, inHand, head } = this.#waiting;
    if (cell.state === State.dead || this.#open.get(cell) !== work) return;
    const same = cell.inHand === inHand && (head === undefined || cell.head === head);
    if (!same) this.violation ??= `${cell.pid} began a callback while another had not ended`;
  }

  /** Learns of each promise that the process waits for, from the process itself. */
  #follow(cell: Cell): void {
    this.#open.set(cell, undefined);
    const hold = cell.hold.bind(cell);
    cell.hold = (work, next) => {
      if (next === undefined && isDeferred(work)) return hold(work, next);
      const promise = Promise.resolve(work);
      const settled = (): void => {
        if (this.#open.get(cell) === promise) this.#open.set(cell, undefined);
      };
      this.#open.set(cell, promise);
      promise.then(settled, settled);
      hold(promise, next);
    };
  }
}
