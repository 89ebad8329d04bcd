// Streams in object mode; the window is the high-water mark.
import { Readable, Transform, Writable } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import {
  addOne,
  isAwaited,
  isKept,
  item,
  laneOf,
  lanes,
  processed,
  settled,
  weigh,
} from "../workloads.ts";
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

export const W1: Bench = (count) => {
  let sum = 0;
  const from = source(count, 1000, identity);
  const to = sink<number>(1000, (n) => void (sum += n));
  return { run: () => pipeline(from, to).then(() => sum) };
};

/** Streams have no competing consumers; loops over one iterator come closest. */
const fan =
  (consumers: number): Bench =>
  (count) => {
    const events: AsyncIterator<number> = source(count, 100, identity)[Symbol.asyncIterator]();
    const consumer = async (): Promise<number> => {
      let sum = 0;
      for (let step = await events.next(); !step.done; step = await events.next())
        sum += step.value;
      return sum;
    };
    return {
      async run() {
        const sums = await Promise.all(Array.from({ length: consumers }, consumer));
        return sums.reduce((a, b) => a + b);
      },
    };
  };

export const W3: Bench = fan(lanes);
export const W9c1: Bench = fan(1);
export const W9c10: Bench = fan(10);
export const W9c100: Bench = fan(100);
export const W9c1000: Bench = fan(1_000);

/** One readable piped to each of the writables: the slowest sets the pace. */
export const W4: Bench = (count) => {
  let sum = 0;
  const from = source(count, 1000, identity);
  const sinks = Array.from({ length: lanes }, () => sink<number>(1000, (n) => void (sum += n)));
  return {
    async run() {
      for (const to of sinks) from.pipe(to);
      await Promise.all(sinks.map((to) => finished(to)));
      return sum;
    },
  };
};

/** A writable that hands each event to the writable of its partition, and waits when that is full. */
export const W5: Bench = (count) => {
  let sum = 0;
  const sinks = Array.from({ length: lanes }, () => sink<number>(1000, (n) => void (sum += n)));
  const router = new Writable({
    objectMode: true,
    highWaterMark: 1000,
    write(n: number, _encoding, done) {
      const to = sinks[laneOf(n)]!;
      if (to.write(n)) done();
      else to.once("drain", done);
    },
    final(done) {
      for (const to of sinks) to.end();
      done();
    },
  });
  return {
    async run() {
      await Promise.all([
        pipeline(source(count, 1000, identity), router),
        ...sinks.map((to) => finished(to)),
      ]);
      return sum;
    },
  };
};

const chain =
  (depth: number): Bench =>
  (count) => {
    let sum = 0;
    const stages = Array.from(
      { length: depth },
      () =>
        new Transform({
          objectMode: true,
          highWaterMark: 1000,
          transform: (n: number, _encoding, done) => done(null, addOne(n)),
        }),
    );
    const to = sink<number>(1000, (n) => void (sum += n));
    return { run: () => pipeline([source(count, 1000, identity), ...stages, to]).then(() => sum) };
  };

export const W8d1: Bench = chain(1);
export const W8d4: Bench = chain(4);
export const W8d16: Bench = chain(16);

export const WX: Bench = (count) => {
  let sum = 0;
  const process = new Transform({
    objectMode: true,
    highWaterMark: 7,
    transform(event: Item, _encoding, done) {
      if (isAwaited(event)) void settled.then(() => done(null, processed(event)));
      else done(null, processed(event));
    },
  });
  const keep = new Transform({
    objectMode: true,
    highWaterMark: 250,
    transform: (event: Item, _encoding, done) => (isKept(event) ? done(null, event) : done()),
  });
  const to = sink<Item>(33, (event) => void (sum += weigh(event)));
  return { run: () => pipeline(source(count, 7, item), process, keep, to).then(() => sum) };
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
