// Streams of Effect are pulled chunk by chunk; the window is the size of a chunk or of the queue between fibers.
import { Effect, Stream } from "effect";
import { item, processed, settled, weigh } from "../workloads.ts";
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

/** Four fibers take from one bounded queue. */
export const W3: Bench = (count) => {
  const program = Effect.gen(function* () {
    const queue = yield* Stream.range(0, count - 1, 100).pipe(Stream.toQueue({ capacity: 100 }));
    const consumer = Stream.fromQueue(queue).pipe(Stream.runFold(zero, add));
    const sums = yield* Effect.all([consumer, consumer, consumer, consumer], {
      concurrency: "unbounded",
    });
    return sums.reduce(add);
  });
  return { run: () => Effect.runPromise(Effect.scoped(program)) };
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
