// The ceiling: the same work by calls in a loop, with no queue, no demand and nobody to supervise it.
import { item, processed, settled, weigh } from "../workloads.ts";
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

export const W3: Bench = (count) => ({
  run() {
    const sums: [number, number, number, number] = [0, 0, 0, 0];
    const consumers = sums.map((_, lane) => (n: number) => void (sums[lane]! += n));
    for (let n = 0; n < count; n++) consumers[n & 3]!(n);
    return sums[0] + sums[1] + sums[2] + sums[3];
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
