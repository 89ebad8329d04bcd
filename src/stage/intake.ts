import { invalidOption, type ExitReason } from "../support/internal.ts";
import type { Cell } from "../process/internal.ts";
import type { Ref } from "../process/index.ts";
import { ask, cancel, transmit } from "./protocol.ts";
import type { From, Wanted } from "./subscription.ts";

/** A producer that was subscribed to. */
export class Intake implements From {
  readonly tag: number;
  readonly producer: Cell;
  readonly wanted: Wanted;
  /** Asks are the callbacks' affair. */
  manual = false;
  /** Asked for and not handled yet. */
  pending = 0;
  /** How much of that a ConsumerSupervisor has in work. */
  running = 0;
  unwatch: Disposable | undefined = undefined;

  constructor(tag: number, producer: Cell, wanted: Wanted) {
    this.tag = tag;
    this.producer = producer;
    this.wanted = wanted;
  }

  get ref(): Ref<unknown> {
    return this.producer.ref as unknown as Ref<unknown>;
  }

  cancel(reason: ExitReason = "normal"): void {
    transmit(this.producer, cancel(this.tag, reason));
  }

  ask(count: number): void {
    if (!Number.isSafeInteger(count) || count < 0)
      throw invalidOption("ask: count", count, "a whole number, 0 or more");
    if (count === 0) return;
    this.pending += count;
    transmit(this.producer, ask(this.tag, count));
  }

  /** `left` is what is still pending of the window: when that is `minDemand` or less, it is filled up again. */
  renew(left: number): void {
    const { maxDemand, minDemand } = this.wanted;
    if (this.manual || left > minDemand) {
      this.pending = left;
      return;
    }
    this.pending = maxDemand;
    transmit(this.producer, ask(this.tag, maxDemand - left));
  }
}
