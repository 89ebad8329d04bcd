// The floor: what the workload itself makes, events, arrays and sums, handed on by a call. Nobody asks, waits or supervises.
import { addOne, item, laneOf, lanes, processed, weigh } from "../workloads.ts";
import type { Bench, Item } from "../workloads.ts";

/** As many as a consumer with the usual window asks for at a time. */
const usual = 500;

/** Hands `count` events on in arrays of `size`. */
function deliver<T>(
  count: number,
  size: number,
  make: (n: number) => T,
  handle: (events: readonly T[]) => void,
): void {
  for (let start = 0; start < count; start += size) {
    const length = Math.min(size, count - start);
    const events = new Array<T>(length);
    for (let n = 0; n < length; n++) events[n] = make(start + n);
    handle(events);
  }
}

const identity = (n: number): number => n;

class Sums {
  sum = 0;
  readonly numbers = (events: readonly number[]): void => {
    let sum = 0;
    for (const n of events) sum += n;
    this.sum += sum;
  };
  readonly items = (events: readonly Item[]): void => {
    let sum = 0;
    for (const event of events) sum += weigh(event);
    this.sum += sum;
  };
}

/** Hands `count` numbers to what `handler` makes of the consumers' sums. */
const numbers =
  (size: number, handler: (sums: Sums) => (events: readonly number[]) => void): Bench =>
  (count) => ({
    run() {
      const sums = new Sums();
      deliver(count, size, identity, handler(sums));
      return sums.sum;
    },
  });

function mapped<T, R>(events: readonly T[], make: (event: T) => R): R[] {
  const made = new Array<R>(events.length);
  for (let n = 0; n < events.length; n++) made[n] = make(events[n]!);
  return made;
}

export const W1O: Bench = (count) => ({
  run() {
    const sums = new Sums();
    deliver(count, usual, item, sums.items);
    return sums.sum;
  },
});

export const W2O: Bench = (count) => ({
  run() {
    const sums = new Sums();
    deliver(count, usual, item, (events) => sums.items(mapped(events, processed)));
    return sums.sum;
  },
});

/** Half of its window. */
export const W3: Bench = numbers(50, (sums) => sums.numbers);
export const W6: Bench = numbers(1, (sums) => sums.numbers);

export const W4: Bench = numbers(usual, (sums) => (events) => {
  for (let lane = 0; lane < lanes; lane++) sums.numbers(events);
});

export const W5: Bench = numbers(usual, (sums) => (events) => {
  const parts = Array.from({ length: lanes }, (): number[] => []);
  for (const n of events) parts[laneOf(n)]!.push(n);
  for (const part of parts) sums.numbers(part);
});

const chain = (depth: number): Bench =>
  numbers(usual, (sums) => (events) => {
    let made = events;
    for (let stage = 0; stage < depth; stage++) made = mapped(made, addOne);
    sums.numbers(made);
  });

export const W8d1: Bench = chain(1);
export const W8d4: Bench = chain(4);
export const W8d16: Bench = chain(16);
