import { describe, expect, it } from "vitest";
import {
  child,
  consumer,
  consumerSupervisor,
  drain,
  filter,
  from,
  map,
  name,
  run,
  sleep,
  startSupervisor,
  Producer,
  type ChildSpec,
  type DrainReport,
  type ProducerConsumer,
} from "sluice";
import { simulate, type Simulation } from "sluice/testing";
import { attach } from "sluice/telemetry";
import { range } from "./probing.ts";

const numbers = name<Producer<number>>("numbers");
const doubled = name<ProducerConsumer<number, number>>("doubled");

/** A program over an endless source, told to end at a random moment. */
async function interrupted(
  { advance, interrupt, random }: Simulation,
  last: (handled: number[]) => { readonly [id: string]: ChildSpec<unknown> },
): Promise<{ readonly pulled: number; readonly handled: readonly number[] }> {
  let pulled = 0;
  const handled: number[] = [];
  async function* source(): AsyncGenerator<number> {
    for (;;) {
      await sleep(random() * 5);
      yield pulled++;
    }
  }
  const ended = run({
    strategy: "rest_for_one",
    children: {
      numbers: child(from(source), { name: numbers }),
      doubled: child(
        map(async (n: number) => {
          await sleep(random() * 3);
          return n * 2;
        }),
        { name: doubled, subscribeTo: [{ to: numbers, maxDemand: 6 }] },
      ),
      ...last(handled),
    },
  });
  await advance(random() * 500);
  interrupt();
  expect(await ended).toBe("shutdown");
  return { pulled, handled };
}

/** The first `count` of what comes out. */
const doubles = (count: number): number[] => range(count).map((n) => n * 2);
const sorted = (numbers: readonly number[]): number[] => numbers.toSorted((a, b) => a - b);

describe("a program that is told to end loses nothing that was read", () => {
  const faults = { slow: { probability: 0.05, maxMs: 20 } };

  it("with consumers that take their time", async () => {
    await simulate(
      async (simulation) => {
        const sink = (handled: number[]): ChildSpec<unknown> =>
          child(
            consumer(async (events: readonly number[]) => {
              await sleep(simulation.random() * 10);
              handled.push(...events);
            }),
            { subscribeTo: [{ to: doubled, maxDemand: 4 }] },
          );
        const { pulled, handled } = await interrupted(simulation, (handled) => ({
          a: sink(handled),
          b: sink(handled),
        }));
        expect(sorted(handled)).toEqual(doubles(handled.length));
        // The step that was pending when the source closed may come too late.
        expect(pulled - handled.length).toBeLessThanOrEqual(1);
      },
      { seeds: 100, faults },
    );
  });

  it("with a child per event", async () => {
    await simulate(
      async (simulation) => {
        const work =
          (handled: number[]) =>
          async (event: number): Promise<void> => {
            await sleep(simulation.random() * 15);
            handled.push(event);
          };
        const { pulled, handled } = await interrupted(simulation, (handled) => ({
          workers: consumerSupervisor(work(handled), {
            restart: "temporary",
            subscribeTo: [{ to: doubled, maxDemand: 3 }],
          }),
        }));
        expect(sorted(handled)).toEqual(doubles(handled.length));
        expect(pulled - handled.length).toBeLessThanOrEqual(1);
      },
      { seeds: 100, faults },
    );
  });
});

describe("a drain", () => {
  /** A source, a processor and a consumer that take their time; a seed says how much. */
  async function drained(
    { advance, random }: Simulation,
    timeoutMs: number,
  ): Promise<{ readonly given: number; readonly handled: number[]; readonly report: DrainReport }> {
    let given = 0;
    const handled: number[] = [];
    class Source extends Producer<number> {
      protected override handleDemand(demand: number): number[] {
        const first = given;
        given += demand;
        return range(demand).map((n) => first + n);
      }
    }
    const slow = <T>(value: T): Promise<T> => sleep(random() * 8).then(() => value);
    const source = name<Source>("source");
    await using app = await startSupervisor({
      strategy: "rest_for_one",
      maxRestarts: 1_000,
      children: {
        source: child(Source, { name: source }),
        same: child(map<number, number>(slow), {
          name: doubled,
          subscribeTo: [{ to: source, maxDemand: 1 + Math.floor(random() * 6) }],
        }),
        sink: child(
          consumer(async (events: readonly number[]) => {
            await slow(undefined);
            handled.push(...events);
          }),
          { subscribeTo: [{ to: doubled, maxDemand: 1 + Math.floor(random() * 6) }] },
        ),
        workers: consumerSupervisor<number>(async (event) => void handled.push(await slow(event)), {
          restart: "temporary",
          subscribeTo: [{ to: doubled, maxDemand: 1 + Math.floor(random() * 3) }],
        }),
      },
    });
    await advance(random() * 200);
    const report = await drain(app, { timeoutMs });
    return { given, handled: [...handled], report };
  }

  it("loses nothing: all that was given was handled, once, and nothing is left", async () => {
    const { steps } = await simulate(
      async (simulation) => {
        const { given, handled, report } = await drained(simulation, 60_000);
        expect(report.left).toEqual([]);
        expect(sorted(handled)).toEqual(range(given));
      },
      { seeds: 200, faults: { slow: { probability: 0.1, maxMs: 10 } } },
    );
    expect(steps).toBeGreaterThan(20_000);
  });

  it("cut short, tells where the rest is: what was handled, waits or is in hand is all there was", async () => {
    let cut = 0;
    await simulate(
      async (simulation) => {
        const { given, handled, report } = await drained(simulation, simulation.random() * 15);
        const waits = { waiting: 0, buffered: 0, running: 0 };
        for (const { label, backlog: left } of report.left) {
          waits.waiting += left.waiting ?? 0;
          waits.buffered += left.buffered ?? 0;
          // A batch in hand is one callback, of half the window at most.
          waits.running += (left.running ?? 0) * (label === "workers" ? 1 : 3);
        }
        if (report.left.length > 0) cut++;
        const missing = given - handled.length;
        expect(missing).toBeGreaterThanOrEqual(waits.waiting + waits.buffered);
        expect(missing).toBeLessThanOrEqual(waits.waiting + waits.buffered + waits.running);
      },
      { seeds: 200 },
    );
    expect(cut).toBeGreaterThan(100);
  });

  it("is over in time, whatever crashes and comes again meanwhile", async () => {
    await simulate(
      async (simulation) => {
        using _quiet = attach("sluice.log", () => {});
        const { given, handled, report } = await drained(simulation, 500);
        expect(report.elapsedMs).toBeLessThanOrEqual(500);
        expect(new Set(handled).size).toBe(handled.length);
        expect(handled.length).toBeLessThanOrEqual(given);
      },
      { seeds: 200, faults: { crash: 0.02, slow: { probability: 0.05, maxMs: 20 } } },
    );
  });
});

describe("a chain of a thousand processors", () => {
  it("E17: hands its events through, however deep it is", async () => {
    await simulate(
      async ({ advance, interrupt }) => {
        const stage = (n: number) => name<ProducerConsumer<number, number>>(`stage ${n}`);
        const length = 1_000;
        const seen: number[] = [];
        async function* three(): AsyncGenerator<number> {
          yield* [1, 2, 3];
          await new Promise(() => {});
        }
        const links = range(length).map((n): [string, ChildSpec<unknown>] => [
          `link${n}`,
          child(
            filter<number>(() => true),
            { name: stage(n), subscribeTo: [n === 0 ? numbers : stage(n - 1)] },
          ),
        ]);
        const ended = run({
          strategy: "rest_for_one",
          children: {
            numbers: child(from(three), { name: numbers }),
            ...Object.fromEntries(links),
            end: child(
              consumer((events: readonly number[]) => void seen.push(...events)),
              { subscribeTo: [stage(length - 1)] },
            ),
          },
        });
        await advance(1);
        interrupt();
        await ended;
        expect(seen).toEqual([1, 2, 3]);
      },
      { seeds: [1] },
    );
  });
});
