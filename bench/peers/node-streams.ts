// Streams in object mode; the window is the high-water mark.
import { Readable, Transform, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { item, processed, settled, weigh } from "../workloads.ts";
import type { Bench, Item } from "../workloads.ts";

function source<T>(count: number, highWaterMark: number, make: (n: number) => T): Readable {
  let next = 0;
  return new Readable({
    objectMode: true,
    highWaterMark,
    read() {
      while (next < count) if (!this.push(make(next++))) return;
      this.push(null);
    },
  });
}

function sink<T>(highWaterMark: number, handle: (event: T) => void): Writable {
  return new Writable({
    objectMode: true,
    highWaterMark,
    write(event: T, _encoding, done) {
      handle(event);
      done();
    },
  });
}

const identity = (n: number): number => n;

export const W1O: Bench = (count) => {
  let sum = 0;
  const from = source(count, 1000, item);
  const to = sink<Item>(1000, (event) => void (sum += weigh(event)));
  return { run: () => pipeline(from, to).then(() => sum) };
};

export const W2O: Bench = (count) => {
  let sum = 0;
  const from = source(count, 1000, item);
  const through = new Transform({
    objectMode: true,
    highWaterMark: 1000,
    transform: (event: Item, _encoding, done) => done(null, processed(event)),
  });
  const to = sink<Item>(1000, (event) => void (sum += weigh(event)));
  return { run: () => pipeline(from, through, to).then(() => sum) };
};

/** Streams have no competing consumers; four loops over one iterator come closest. */
export const W3: Bench = (count) => {
  const events: AsyncIterator<number> = source(count, 100, identity)[Symbol.asyncIterator]();
  const consumer = async (): Promise<number> => {
    let sum = 0;
    for (let step = await events.next(); !step.done; step = await events.next()) sum += step.value;
    return sum;
  };
  return {
    async run() {
      const sums = await Promise.all([consumer(), consumer(), consumer(), consumer()]);
      return sums.reduce((a, b) => a + b);
    },
  };
};

export const W6: Bench = (count) => {
  let sum = 0;
  const from = source(count, 1, identity);
  const to = sink<number>(1, (n) => void (sum += n));
  return { run: () => pipeline(from, to).then(() => sum) };
};

/** A child is a call of the callback, a hundred at a time; nobody supervises it. */
function forEach(child: (n: number, add: (n: number) => void) => void | Promise<void>): Bench {
  return (count) => {
    let sum = 0;
    const add = (n: number): void => void (sum += n);
    const from = source(count, 100, identity);
    return {
      run: () => from.forEach((n: number) => child(n, add), { concurrency: 100 }).then(() => sum),
    };
  };
}

export const W7: Bench = forEach((n, add) => add(n));
export const W7A: Bench = forEach(async (n, add) => {
  await settled;
  add(n);
});
