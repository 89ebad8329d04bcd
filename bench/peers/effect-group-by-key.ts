// Effect's documented way to one stream per key.
import { Effect, Stream } from "effect";
import { laneOf } from "../workloads.ts";
import type { Bench } from "../workloads.ts";

const zero = (): number => 0;
const add = (sum: number, n: number): number => sum + n;

export const W5: Bench = (count) => {
  const program = Stream.range(0, count - 1, 1000).pipe(
    Stream.groupByKey(laneOf, { bufferSize: 1000 }),
    Stream.mapEffect(([, stream]) => Stream.runFold(stream, zero, add), {
      concurrency: "unbounded",
    }),
    Stream.runFold(zero, add),
  );
  return { run: () => Effect.runPromise(program) };
};
