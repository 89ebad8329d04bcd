import { describe, expect, it } from "vitest";
import { quietly, range } from "../../test/stage/probing.ts";
import { child, name, sleep, start, startSupervisor, type ChildSpec } from "../process/index.ts";
import { currentSystem } from "../runtime/index.ts";
import { simulate } from "../testing/index.ts";
import { completed } from "./completed.ts";
import { consumerSupervisor } from "./consumer-supervisor.ts";
import { Consumer } from "./consumer.ts";
import { from } from "./from.ts";
import { Producer } from "./producer.ts";
import type { ProducerConsumer } from "./producer-consumer.ts";
import { consumer, map } from "./shorthands.ts";

const nowMs = (): number => currentSystem().runtime.now();
const numbers = name<Producer<number>>("numbers");
const middle = name<ProducerConsumer<number, number>>("middle");
const same = map(async (n: number) => {
  await sleep(2);
  return n;
});

/** Writes down what it has handled, 10 ms after it got it. */
class Slow extends Consumer<number> {
  readonly #handled: number[];
  constructor(handled: number[]) {
    super();
    this.#handled = handled;
  }
  protected override async handleEvents(events: readonly number[]): Promise<void> {
    await sleep(10);
    if (events.includes(-1)) throw new Error("no");
    this.#handled.push(...events);
  }
}

/** Finite sources whose last event is out at once, and one that takes its time. */
const sources = {
  quick: from(() => range(20)),
  slow: from(async function* () {
    for (const n of range(20)) {
      await sleep(3);
      yield n;
    }
  }),
};

describe("completed", () => {
  it.each(["quick", "slow"] as const)(
    "resolves when all of a %s source has gone through stages that end with it",
    async (which) => {
      await simulate(
        async () => {
          const handled: number[] = [];
          const source = await start(sources[which]);
          const between = await start(same, { subscribeTo: [{ to: source, maxDemand: 5 }] });
          const sink = await start(Slow, {
            args: [handled],
            subscribeTo: [{ to: between, maxDemand: 3 }],
          });
          await completed(source);
          expect(handled).toEqual(range(20));
          for (const stage of [source, between, sink]) expect(await stage.exited).toBe("normal");
        },
        { seeds: 30 },
      );
    },
  );

  it("tells it also afterwards, and as often as it is asked", async () => {
    await simulate(
      async ({ advance }) => {
        const handled: number[] = [];
        const source = await start(sources.quick);
        await using _sink = await start(Slow, {
          args: [handled],
          subscribeTo: [{ to: source, maxDemand: 6, cancel: "temporary" }],
        });
        const first = completed(source);
        await advance(25);
        expect(await source.exited).toBe("normal");
        await Promise.all([first, completed(source)]);
        expect(handled.length).toBe(20);
        await completed(source);
      },
      { seeds: 20 },
    );
  });

  it("waits for stages that live on, for children, and where ways part and meet, for all of them", async () => {
    let distinct = 0;
    await simulate(
      async ({ random }) => {
        const handled: number[] = [];
        const twice: number[] = [];
        await using app = await startSupervisor({
          strategy: "one_for_one",
          children: {
            numbers: child(sources[random() < 0.5 ? "quick" : "slow"], {
              name: numbers,
              restart: "transient",
            }),
            middle: child(same, {
              name: middle,
              subscribeTo: [{ to: numbers, maxDemand: 3, cancel: "temporary" }],
            }),
            direct: child(Slow, {
              args: [twice],
              subscribeTo: [{ to: numbers, maxDemand: 4, cancel: "temporary" }],
            }),
            both: child(Slow, {
              args: [handled],
              subscribeTo: [
                { to: middle, maxDemand: 2, cancel: "temporary" },
                { to: numbers, maxDemand: 2, cancel: "temporary" },
              ],
            }),
            workers: consumerSupervisor<number>(
              async (n) => {
                await sleep(random() * 50);
                handled.push(n);
              },
              {
                restart: "temporary",
                subscribeTo: [{ to: middle, maxDemand: 2, cancel: "temporary" }],
              },
            ),
          },
        });
        await completed(app.children.numbers);
        expect([...handled, ...twice].toSorted((a, b) => a - b)).toEqual(range(20));
        if (twice.length > 0 && handled.length > 0) distinct++;
      },
      { seeds: 100, faults: { slow: { probability: 0.1, maxMs: 30 } } },
    );
    expect(distinct).toBeGreaterThan(50);
  });

  it("finds a child that has ended by its slot", async () => {
    await simulate(
      async ({ advance }) => {
        const handled: number[] = [];
        await using app = await startSupervisor({
          strategy: "one_for_one",
          children: {
            numbers: child(sources.quick, { name: numbers, restart: "transient" }),
            slow: child(Slow, {
              args: [handled],
              subscribeTo: [{ to: numbers, cancel: "temporary" }],
            }),
          },
        });
        await advance(1);
        expect(numbers.whereis()).toBeUndefined();
        await completed(app.children.numbers);
        expect(handled.length).toBe(20);
        await expect(completed(numbers)).rejects.toMatchObject({ code: "SLUICE_NO_PROCESS" });
      },
      { seeds: 10 },
    );
  });
});

describe("completed rejects", () => {
  const crash = { crash: new Error("no") };
  const failing = (reason: unknown) => ({ code: "SLUICE_EXITED", details: { reason } });

  it("when the source fails, with its reason", async () => {
    await simulate(
      async () => {
        using _quiet = quietly();
        const source = await start(
          from(function* () {
            yield 1;
            throw new Error("no");
          }),
        );
        await using _sink = await start(Slow, {
          args: [[]],
          subscribeTo: [{ to: source, cancel: "temporary" }],
        });
        await expect(completed(source)).rejects.toMatchObject({
          ...failing(crash),
          cause: crash.crash,
        });
        await expect(completed(source)).rejects.toMatchObject(failing(crash));
      },
      { seeds: 10 },
    );
  });

  it("at once when a stage downstream fails, though the source would wait for a consumer for ever", async () => {
    await simulate(
      async ({ seed }) => {
        using _quiet = quietly();
        await using source = await start(from(() => [1, 2, -1, ...range(100)]));
        const between = await start(same, {
          subscribeTo: [{ to: source, maxDemand: 1, cancel: "temporary" }],
        });
        const sink = (): Promise<unknown> =>
          start(Slow, { args: [[]], subscribeTo: [{ to: between, maxDemand: 1 }] });
        // Also where it comes later.
        if (seed % 2 === 0) await sink();
        const all = completed(source);
        if (seed % 2 === 1) await sink();
        await expect(all).rejects.toMatchObject(failing(crash));
        // In three rounds of 12 ms.
        expect(nowMs()).toBeLessThan(50);
        await expect(completed(source)).rejects.toMatchObject(failing(crash));
        await between.stop();
      },
      { seeds: 20 },
    );
  });

  it("when a consumer is restarted: what it had in hand is gone", async () => {
    await simulate(
      async () => {
        using _quiet = quietly();
        const handled: number[] = [];
        await using app = await startSupervisor({
          strategy: "one_for_one",
          children: {
            numbers: child(
              from(() => [1, 2, -1, 3, 4]),
              { name: numbers, restart: "transient" },
            ),
            slow: child(Slow, {
              args: [handled],
              subscribeTo: [{ to: numbers, maxDemand: 1, cancel: "temporary" }],
            }),
          },
        });
        await expect(completed(app.children.numbers)).rejects.toMatchObject(failing(crash));
        await sleep(200);
        expect(handled).toEqual([1, 2, 3, 4]);
        await expect(completed(app.children.numbers)).rejects.toMatchObject(failing(crash));
      },
      { seeds: 10 },
    );
  });

  it("when the last batch fails, the source being over", async () => {
    await simulate(
      async () => {
        using _quiet = quietly();
        const source = await start(from(() => [1, -1]));
        await start(Slow, {
          args: [[]],
          subscribeTo: [{ to: source, maxDemand: 5, minDemand: 4 }],
        });
        await expect(completed(source)).rejects.toMatchObject(failing(crash));
      },
      { seeds: 10 },
    );
  });

  it("when a child fails for good, and not when it succeeds at another try", async () => {
    await simulate(
      async () => {
        using _quiet = quietly();
        let fails = true;
        const workers = (): ChildSpec<unknown> =>
          consumerSupervisor<number>(
            async (n, { attempt }) => {
              await sleep(5);
              if (n === 2 && (fails || attempt === 1)) throw crash.crash;
            },
            {
              restart: fails ? "temporary" : "transient",
              subscribeTo: [{ to: numbers, maxDemand: 2, cancel: "temporary" }],
            },
          );
        const app = () =>
          startSupervisor({
            strategy: "one_for_one",
            children: {
              numbers: child(
                from(() => range(5)),
                { name: numbers, restart: "transient" },
              ),
              workers: workers(),
            },
          });
        await using failingApp = await app();
        await expect(completed(failingApp.children.numbers)).rejects.toMatchObject(failing(crash));
        await failingApp.stop();
        fails = false;
        await using trying = await app();
        await completed(trying.children.numbers);
      },
      { seeds: 20 },
    );
  });

  it("when the tree is stopped first", async () => {
    await simulate(
      async ({ advance }) => {
        const app = await startSupervisor({
          strategy: "one_for_one",
          children: {
            numbers: child(sources.slow, { name: numbers }),
            slow: child(Slow, { args: [[]], subscribeTo: [numbers] }),
          },
        });
        const all = completed(app.children.numbers);
        all.catch(() => {});
        await advance(5);
        await app.stop("shutdown");
        await expect(all).rejects.toMatchObject(failing("shutdown"));
      },
      { seeds: 10 },
    );
  });

  it("when the source let go of events, or ends with some that nobody took", async () => {
    await simulate(
      async ({ seed }) => {
        using _quiet = quietly();
        class Last extends Producer<number> {
          push(events: number[]): void {
            this.emit(events);
            if (seed % 2 === 0) this.self.stop();
            else this.self.afterBuffered(() => this.self.stop());
          }
        }
        const source = await start(Last, { bufferSize: 3 });
        await using _sink = await start(
          consumer(() => sleep(1)),
          {
            subscribeTo: [{ to: source, maxDemand: 1, cancel: "temporary" }],
          },
        );
        source.cast.push(range(seed % 2 === 0 ? 3 : 9));
        await expect(completed(source)).rejects.toMatchObject(failing("normal"));
      },
      { seeds: 10 },
    );
  });

  it("what is no producer", async () => {
    await simulate(
      async () => {
        await using stage = await start(Slow, { args: [[]] });
        await expect(completed(stage as never)).rejects.toMatchObject({
          code: "SLUICE_NOT_A_PRODUCER",
        });
      },
      { seeds: 1 },
    );
  });
});
