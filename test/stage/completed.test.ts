import { describe, expect, it } from "vitest";
import {
  child,
  completed,
  consumer,
  consumerSupervisor,
  drain,
  from,
  map,
  name,
  sleep,
  startSupervisor,
  type Producer,
  type ProducerConsumer,
} from "sluice";
import { simulate } from "sluice/testing";
import { quietly, range } from "./probing.ts";

const numbers = name<Producer<number>>("numbers");
const middle = name<ProducerConsumer<number, number>>("middle");
const slowly = from(async function* () {
  for (const n of range(20)) {
    await sleep(3);
    yield n;
  }
});
const same = map(async (n: number) => {
  await sleep(2);
  return n;
});

describe("whatever crashes", () => {
  it("completed settles, and resolves only when all was handled", async () => {
    const outcomes = { through: 0, lost: 0 };
    await simulate(
      async ({ random, calm, advance }) => {
        using _quiet = quietly();
        const handled: number[] = [];
        const slow = (handled: number[]) =>
          consumer(async (events: readonly number[]) => {
            await sleep(10);
            handled.push(...events);
          });
        const app = await startSupervisor({
          strategy: "one_for_one",
          maxRestarts: 1_000,
          children: {
            numbers: child(slowly, { name: numbers, restart: "transient" }),
            middle: child(same, {
              name: middle,
              subscribeTo: [{ to: numbers, maxDemand: 3, cancel: "temporary" }],
            }),
            slow: child(slow(handled), {
              subscribeTo: [{ to: middle, maxDemand: 4, cancel: "temporary" }],
            }),
            workers: consumerSupervisor<number>(
              async (n) => {
                await sleep(random() * 20);
                handled.push(n);
              },
              {
                restart: "temporary",
                subscribeTo: [{ to: middle, maxDemand: 2, cancel: "temporary" }],
              },
            ),
          },
        });
        let outcome: "through" | "lost" | undefined;
        completed(app.children.numbers).then(
          () => (outcome = "through"),
          () => (outcome = "lost"),
        );
        await advance(5_000);
        calm();
        await advance(60_000);
        await app.stop();
        await advance(0);
        expect(outcome).toBeDefined();
        outcomes[outcome!]++;
        if (outcome === "through") expect(new Set(handled)).toEqual(new Set(range(20)));
      },
      { seeds: 300, faults: { crash: 0.005, slow: { probability: 0.05, maxMs: 20 } } },
    );
    expect(outcomes.through).toBeGreaterThan(30);
    expect(outcomes.lost).toBeGreaterThan(30);
  });
});

describe("a line with work in flight", () => {
  it("is through when all of it is, and a drain of it leaves nothing", async () => {
    await simulate(
      async ({ random, seed, advance }) => {
        const handled: number[] = [];
        await using app = await startSupervisor({
          strategy: "one_for_one",
          children: {
            numbers: child(slowly, { name: numbers, restart: "transient" }),
            middle: child(
              map(async (n: number) => {
                await sleep(random() * 20);
                return n;
              }),
              {
                name: middle,
                concurrency: 3,
                order: "ordered",
                subscribeTo: [{ to: numbers, maxDemand: 6, cancel: "temporary" }],
              },
            ),
            last: child(
              consumer(async (events: readonly number[]) => {
                await sleep(random() * 30);
                handled.push(...events);
              }),
              {
                concurrency: 4,
                subscribeTo: [{ to: middle, maxDemand: 8, cancel: "temporary" }],
              },
            ),
          },
        });
        if (seed % 2 === 0) {
          await completed(app.children.numbers);
          expect(handled.toSorted((a, b) => a - b)).toEqual(range(20));
        } else {
          await advance(random() * 60);
          expect((await drain(app)).left).toEqual([]);
          expect(handled.toSorted((a, b) => a - b)).toEqual(range(handled.length));
        }
      },
      { seeds: 100, faults: { slow: { probability: 0.05, maxMs: 20 } } },
    );
  });
});
