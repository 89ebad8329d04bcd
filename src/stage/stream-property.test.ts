import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { range } from "../../test/stage/probing.ts";
import { sleep, start } from "../process/index.ts";
import { simulate, type Simulation } from "../testing/index.ts";
import { from } from "./from.ts";
import { into } from "./into.ts";
import { readable } from "./readable.ts";
import { map } from "./shorthands.ts";
import { stream } from "./stream.ts";

/** Counts up to `total`, at once or later, and knows how far it was pulled. */
class Numbers {
  pulled = 0;
  readonly total: number;
  readonly later: boolean;
  constructor(total: number, later: boolean) {
    this.total = total;
    this.later = later;
  }
  readonly open = (): Iterable<number> | AsyncIterable<number> =>
    this.later ? this.async() : this.sync();
  *sync(): Generator<number> {
    while (this.pulled < this.total) yield this.pulled++;
  }
  async *async(): AsyncGenerator<number> {
    while (this.pulled < this.total) {
      if (this.pulled % 3 === 0) await sleep(1);
      yield this.pulled++;
    }
  }
}

const windows = fc
  .tuple(fc.integer({ min: 1, max: 40 }), fc.nat({ max: 39 }))
  .map(([maxDemand, least]) => ({ maxDemand, minDemand: Math.min(least, maxDemand - 1) }));
const runs = { numRuns: 60 };
/** A stream that is slow is not told of the stop of who writes to it. */
const never = new AbortController().signal;
const simulated = (
  seed: number,
  body: (simulation: Simulation) => Promise<void>,
): Promise<unknown> => simulate(body, { seeds: [seed] });

describe("whatever the sizes, windows and breaks", () => {
  it("a reader gets all that it pulls, in order; never is more made than it pulled and its window", async () => {
    const given = fc.tuple(
      fc.nat({ max: 300 }),
      fc.boolean(),
      windows,
      fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 5 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 1_000 }),
    );
    await fc.assert(
      fc.asyncProperty(given, async ([total, later, window, breaks, web, seed]) => {
        await simulated(seed, async () => {
          const numbers = new Numbers(total, later);
          await using source = await start(from(numbers.open));
          let last = -1;
          for (const count of [...breaks, Infinity]) {
            // It may be gone by then, with all that it had.
            const options = { ...window, cancel: "temporary" as const };
            const events = web ? readable(source, options) : stream(source, options);
            let left = count;
            let first: number | undefined;
            for await (const n of events as AsyncIterable<number>) {
              // Between two readings at most what was on its way is let go, and nothing within one.
              if (first === undefined) expect(n - last - 1).toBeLessThanOrEqual(window.maxDemand);
              else expect(n).toBe(last + 1);
              first ??= n;
              last = n;
              // In the platform's own queue one more is held than was taken.
              expect(numbers.pulled).toBeLessThanOrEqual(n + 1 + window.maxDemand + (web ? 1 : 0));
              if (--left === 0) break;
            }
            if (left > 0) break;
          }
          if (breaks.length === 0) expect(last).toBe(total - 1);
        });
      }),
      runs,
    );
  });

  it("a sink gets everything once, in order, and never more is made than it took, its mark and the windows", async () => {
    const given = fc.tuple(
      fc.nat({ max: 200 }),
      fc.boolean(),
      fc.tuple(windows, windows),
      fc.integer({ min: 1, max: 20 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 1_000 }),
    );
    await fc.assert(
      fc.asyncProperty(given, async ([total, later, [first, second], highWaterMark, web, seed]) => {
        await simulated(seed, async ({ random }) => {
          const numbers = new Numbers(total, later);
          const got: number[] = [];
          // What the stage between has in its inbox, what of one message waits behind it, what is on its way to the sink.
          const bound = 2 * first.maxDemand + second.maxDemand + highWaterMark;
          const write = async (n: number): Promise<void> => {
            got.push(n);
            expect(numbers.pulled).toBeLessThanOrEqual(got.length + bound);
            if (random() < 0.3) await sleep(random() * 3, never);
          };
          const written = async (n: number, done: (error?: Error) => void): Promise<void> => {
            try {
              await write(n);
              done();
            } catch (error) {
              done(error as Error);
            }
          };
          const node = (): Writable =>
            new Writable({
              objectMode: true,
              highWaterMark,
              write: (n: number, _encoding, done) => void written(n, done),
            });
          const source = await start(from(numbers.open));
          const doubled = await start(
            map((n: number) => n),
            { subscribeTo: [{ to: source, ...first }] },
          );
          const sink = await start(
            web ? into(() => new WritableStream({ write }, { highWaterMark })) : into<number>(node),
            { subscribeTo: [{ to: doubled, ...second }] },
          );
          expect(await sink.exited).toBe("normal");
          expect(got).toEqual(range(total));
        });
      }),
      runs,
    );
  });
});
