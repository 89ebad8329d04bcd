// The ceiling: the same work by calls in a loop, with no queue, no demand and nobody to supervise it.
import { addOne, isAwaited, isKept, item, lanes, processed, settled, weigh } from "../workloads.ts";
import type { Bench } from "../workloads.ts";

export const W1O: Bench = (count) => ({
  run() {
    let sum = 0;
    for (let n = 0; n < count; n++) sum += weigh(item(n));
    return sum;
  },
});

export const W2O: Bench = (count) => ({
  run() {
    let sum = 0;
    for (let n = 0; n < count; n++) sum += weigh(processed(item(n)));
    return sum;
  },
});

const fan =
  (size: number): Bench =>
  (count) => ({
    run() {
      const sums = new Array<number>(size).fill(0);
      const consumers = sums.map((_, lane) => (n: number) => void (sums[lane]! += n));
      for (let n = 0; n < count; n++) consumers[n % size]!(n);
      return sums.reduce((a, b) => a + b);
    },
  });

export const W3: Bench = fan(lanes);
export const W5: Bench = fan(lanes);
export const W9c1: Bench = fan(1);
export const W9c10: Bench = fan(10);
export const W9c100: Bench = fan(100);
export const W9c1000: Bench = fan(1_000);

export const W4: Bench = (count) => ({
  run() {
    const sums = new Array<number>(lanes).fill(0);
    const consumers = sums.map((_, lane) => (n: number) => void (sums[lane]! += n));
    for (let n = 0; n < count; n++) for (const consumer of consumers) consumer(n);
    return sums.reduce((a, b) => a + b);
  },
});

const chain =
  (depth: number): Bench =>
  (count) => ({
    run() {
      const stages = Array.from({ length: depth }, () => addOne);
      let sum = 0;
      for (let n = 0; n < count; n++) {
        let value = n;
        for (const stage of stages) value = stage(value);
        sum += value;
      }
      return sum;
    },
  });

export const W8d1: Bench = chain(1);
export const W8d4: Bench = chain(4);
export const W8d16: Bench = chain(16);

export const WX: Bench = (count) => ({
  async run() {
    let sum = 0;
    for (let n = 0; n < count; n++) {
      const event = item(n);
      if (isAwaited(event)) await settled;
      if (isKept(event)) sum += weigh(processed(event));
    }
    return sum;
  },
});

export const W6: Bench = (count) => ({
  run() {
    let sum = 0;
    const consumer = (n: number): void => void (sum += n);
    for (let n = 0; n < count; n++) consumer(n);
    return sum;
  },
});

export const W1: Bench = W6;

export const W7: Bench = W6;

/** Bare promises: a hundred loops that share one counter. */
export const W7A: Bench = (count) => ({
  async run() {
    let sum = 0;
    let next = 0;
    const child = async (n: number): Promise<void> => {
      await settled;
      sum += n;
    };
    const lane = async (): Promise<void> => {
      while (next < count) await child(next++);
    };
    await Promise.all(Array.from({ length: 100 }, lane));
    return sum;
  },
});
