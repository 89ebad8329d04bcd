// Effect.forEach copies its whole input before it starts: faster than a stream of Effect, without back-pressure.
import { Effect } from "effect";
import { settled } from "../workloads.ts";
import type { Bench } from "../workloads.ts";

function* upTo(count: number): Generator<number> {
  for (let n = 0; n < count; n++) yield n;
}

/** A child is a fiber, a hundred at a time; a failure of one ends all. */
function bench(child: (n: number, add: (n: number) => void) => Effect.Effect<void>): Bench {
  return (count) => {
    let sum = 0;
    const add = (n: number): void => void (sum += n);
    const program = Effect.forEach(upTo(count), (n) => child(n, add), {
      concurrency: 100,
      discard: true,
    });
    return { run: () => Effect.runPromise(program).then(() => sum) };
  };
}

export const W7: Bench = bench((n, add) => Effect.sync(() => add(n)));
export const W7A: Bench = bench((n, add) =>
  Effect.promise(async () => {
    await settled;
    add(n);
  }),
);
