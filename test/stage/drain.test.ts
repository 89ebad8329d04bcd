import { describe, expect, it } from "vitest";
import {
  child,
  consumer,
  consumerSupervisor,
  filter,
  from,
  map,
  name,
  run,
  sleep,
  type ChildSpec,
  type Producer,
  type ProducerConsumer,
} from "sluice";
import { simulate, type Simulation } from "sluice/testing";
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
            await sleep(simulation.random() * 30);
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
