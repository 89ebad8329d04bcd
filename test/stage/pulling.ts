import { Producer, name, type CancelCause, type Name } from "sluice";
import { range } from "./probing.ts";

/** Counts up for ever, and writes down who asked and who left. */
export function counter(): {
  readonly stage: new () => Producer<number>;
  readonly asks: number[];
  readonly cancels: CancelCause[];
} {
  const [asks, cancels]: [number[], CancelCause[]] = [[], []];
  class Counter extends Producer<number> {
    #next = 0;
    protected override handleDemand(demand: number): number[] {
      asks.push(demand);
      this.#next += demand;
      return range(demand, this.#next - demand);
    }
    protected override handleCancel(cause: CancelCause): void {
      cancels.push(cause);
    }
  }
  return { stage: Counter, asks, cancels };
}

/** Takes `count` events and leaves. */
export async function take<T>(events: AsyncIterable<T>, count: number): Promise<T[]> {
  const taken: T[] = [];
  for await (const event of events) {
    taken.push(event);
    if (taken.length === count) break;
  }
  return taken;
}

export const all = <T>(events: AsyncIterable<T>): Promise<T[]> => take(events, Infinity);
export const nobody: Name<Producer<number>> = name("nobody");
