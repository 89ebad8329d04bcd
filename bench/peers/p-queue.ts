// Tasks, a hundred at a time; the producer waits while a hundred more are queued.
import PQueue from "p-queue";
import { settled } from "../workloads.ts";
import type { Bench } from "../workloads.ts";

function bench(task: (n: number, add: (n: number) => void) => void | Promise<void>): Bench {
  return (count) => {
    let sum = 0;
    const add = (n: number): void => void (sum += n);
    const queue = new PQueue({ concurrency: 100 });
    return {
      async run() {
        for (let n = 0; n < count; n++) {
          if (queue.size >= 100) await queue.onSizeLessThan(100);
          void queue.add(() => task(n, add));
        }
        await queue.onIdle();
        return sum;
      },
    };
  };
}

export const W7: Bench = bench((n, add) => add(n));
export const W7A: Bench = bench(async (n, add) => {
  await settled;
  add(n);
});
