import { Consumer, Producer, type CancelCause, type ExitReason } from "sluice";
import { describeReason } from "../../src/support/internal.ts";

/** Writes down what its producers' ends look like. */
export class Witness extends Consumer<number> {
  readonly #log: string[];
  constructor(log: string[]) {
    super();
    this.#log = log;
  }
  protected override handleEvents(events: readonly number[]): void {
    this.#log.push(...events.map(String));
  }
  protected override handleCancel({ kind, reason }: CancelCause): void | Promise<void> {
    this.#log.push(`${kind} ${describeReason(reason)}`);
  }
}

/** Emits, and ends in every way. */
export class Mortal extends Producer<number> {
  push(events: readonly number[]): void {
    this.emit(events);
  }
  emitAndEnd(events: readonly number[], reason: ExitReason): void {
    this.emit(events);
    this.self.stop(reason);
  }
  emitAndThrow(events: readonly number[]): void {
    this.emit(events);
    throw new RangeError("mortal");
  }
}
