// Streams of Effect are pulled chunk by chunk; the window is the size of a chunk or of the queue between fibers.
import { Effect, Queue, Stream, type Cause } from "effect";
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
import type { Bench } from "../workloads.ts";

const zero = (): number => 0;
const add = (sum: number, n: number): number => sum + n;

export const W1O: Bench = (count) => {
  const program = Stream.range(0, count - 1, 1000).pipe(
    Stream.map(item),
    Stream.runFold(zero, (sum, event) => sum + weigh(event)),
  );
  return { run: () => Effect.runPromise(program) };
};

export const W2O: Bench = (count) => {
  const program = Stream.range(0, count - 1, 1000).pipe(
    Stream.map(item),
    Stream.map(processed),
    Stream.runFold(zero, (sum, event) => sum + weigh(event)),
  );
  return { run: () => Effect.runPromise(program) };
};

export const W1: Bench = (count) => {
  const program = Stream.range(0, count - 1, 1000).pipe(Stream.runFold(zero, add));
  return { run: () => Effect.runPromise(program) };
};

/** Fibers that take from one bounded queue. */
const fan =
  (consumers: number): Bench =>
  (count) => {
    const program = Effect.gen(function* () {
      const queue = yield* Stream.range(0, count - 1, 100).pipe(Stream.toQueue({ capacity: 100 }));
      const consumer = Stream.fromQueue(queue).pipe(Stream.runFold(zero, add));
      const sums = yield* Effect.all(
        Array.from({ length: consumers }, () => consumer),
        { concurrency: "unbounded" },
      );
      return sums.reduce(add);
    });
    return { run: () => Effect.runPromise(Effect.scoped(program)) };
  };

export const W3: Bench = fan(lanes);
export const W9c1: Bench = fan(1);
export const W9c10: Bench = fan(10);
export const W9c100: Bench = fan(100);
export const W9c1000: Bench = fan(1_000);

export const W4: Bench = (count) => {
  const program = Effect.gen(function* () {
    const streams = yield* Stream.range(0, count - 1, 1000).pipe(
      Stream.broadcastN({ n: lanes, capacity: 16 }),
    );
    const sums = yield* Effect.all(
      streams.map((stream) => Stream.runFold(stream, zero, add)),
      { concurrency: "unbounded" },
    );
    return sums.reduce(add);
  });
  return { run: () => Effect.runPromise(Effect.scoped(program)) };
};

/** A bounded queue per partition, filled chunk by chunk: faster than `groupByKey`, which has a row of its own. */
export const W5: Bench = (count) => {
  const program = Effect.gen(function* () {
    const queues = yield* Effect.all(
      Array.from({ length: lanes }, () => Queue.bounded<number, Cause.Done>(1000)),
    );
    const feed = Stream.range(0, count - 1, 1000).pipe(
      Stream.runForEachArray((chunk) => {
        const parts: number[][] = queues.map(() => []);
        for (const n of chunk) parts[laneOf(n)]!.push(n);
        return Effect.all(parts.map((part, lane) => Queue.offerAll(queues[lane]!, part)));
      }),
      Effect.andThen(Effect.all(queues.map((queue) => Queue.end(queue)))),
    );
    const consumers = queues.map((queue) =>
      Stream.fromQueue(queue).pipe(Stream.runFold(zero, add)),
    );
    yield* Effect.forkChild(feed);
    const sums = yield* Effect.all(consumers, { concurrency: "unbounded" });
    return sums.reduce(add);
  });
  return { run: () => Effect.runPromise(program) };
};

const chain =
  (depth: number): Bench =>
  (count) => {
    let stream = Stream.range(0, count - 1, 1000);
    for (let stage = 0; stage < depth; stage++) stream = Stream.map(stream, addOne);
    const program = Stream.runFold(stream, zero, add);
    return { run: () => Effect.runPromise(program) };
  };

export const W8d1: Bench = chain(1);
export const W8d4: Bench = chain(4);
export const W8d16: Bench = chain(16);

export const WX: Bench = (count) => {
  const program = Stream.range(0, count - 1, 7).pipe(
    Stream.map(item),
    Stream.mapEffect((event) =>
      isAwaited(event)
        ? Effect.promise(async () => {
            await settled;
            return processed(event);
          })
        : Effect.succeed(processed(event)),
    ),
    Stream.filter(isKept),
    Stream.runFold(zero, (sum, event) => sum + weigh(event)),
  );
  return { run: () => Effect.runPromise(program) };
};

export const W6: Bench = (count) => {
  const program = Stream.range(0, count - 1, 1).pipe(Stream.runFold(zero, add));
  return { run: () => Effect.runPromise(program) };
};

/** A child is a fiber, a hundred at a time; a failure of one ends all. */
const bench =
  (child: (n: number) => Effect.Effect<number>): Bench =>
  (count) => {
    const program = Stream.range(0, count - 1, 100).pipe(
      Stream.mapEffect(child, { concurrency: 100, unordered: true }),
      Stream.runFold(zero, add),
    );
    return { run: () => Effect.runPromise(program) };
  };

export const W7: Bench = bench((n) => Effect.succeed(n));
export const W7A: Bench = bench((n) =>
  Effect.promise(async () => {
    await settled;
    return n;
  }),
);
