import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { range } from "../../test/stage/probing.ts";
import {
  Process,
  child,
  name,
  sleep,
  startSupervisor,
  supervisor,
  type ChildSpec,
} from "../process/index.ts";
import { attach } from "../telemetry/index.ts";
import { currentSystem } from "../runtime/index.ts";
import { probeConsumer, probeProducer, simulate, type Simulation } from "../testing/index.ts";
import { broadcastDispatcher } from "./broadcast-dispatcher.ts";
import { consumerSupervisor } from "./consumer-supervisor.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { from } from "./from.ts";
import { Producer } from "./producer.ts";
import { ProducerConsumer } from "./producer-consumer.ts";
import { consumer, map, producer } from "./shorthands.ts";
import type { From } from "./subscription.ts";
import { stallDetector } from "./stall-detector.ts";

const nowMs = (): number => currentSystem().runtime.now();
const numbers = name<Producer<number>>("numbers");
const middle = name<ProducerConsumer<number, number>>("middle");

let said: string[];
let listeners: Disposable[];
beforeEach(() => {
  said = [];
  listeners = [
    attach("sluice.stage.stalled", ({ label, backlog, stalledMs, asked }) => {
      const places = Object.entries(backlog).map(([place, count]) => `${place} ${count}`);
      said.push(`${nowMs()} ${label} ${stalledMs} ms: ${places.join(", ")}, asked ${asked}`);
    }),
    attach("sluice.stage.recovered", ({ label, stalledMs }) =>
      said.push(`${nowMs()} ${label} moves after ${stalledMs} ms`),
    ),
    attach("sluice.log", ({ level, message }) => said.push(`${level}: ${message}`)),
  ];
});
afterEach(() => listeners.forEach((listener) => listener[Symbol.dispose]()));

/** Runs a tree with a detector in 20 schedules. */
function watched(
  children: () => { readonly [id: string]: ChildSpec<unknown> },
  body: (simulation: Simulation) => Promise<void>,
): Promise<unknown> {
  return simulate(
    async (simulation) => {
      await using _app = await startSupervisor({
        strategy: "one_for_one",
        children: { stalls: stallDetector({ stallAfterMs: 100 }), ...children() },
      });
      said = [];
      await body(simulation);
    },
    { seeds: 20 },
  );
}

const endless = (): ChildSpec<Producer<number>> =>
  child(
    producer((demand: number) => range(demand)),
    { name: numbers },
  );

describe("a stall", () => {
  it("is told once, with who it is and what waits where; and that it is over", () =>
    watched(
      () => {
        let count = 0;
        const hanging = consumer<number>(() => sleep(++count === 3 ? 400 : 10));
        return {
          numbers: endless(),
          hanging: child(hanging, { subscribeTo: [{ to: numbers, maxDemand: 4, minDemand: 2 }] }),
        };
      },
      async ({ advance }) => {
        await advance(1_000);
        expect(said).toEqual([
          "125 hanging 100 ms: waiting 2, running 1, asked 0",
          expect.stringMatching(
            /^warning: hanging#\d+ has stood still for 100 ms: waiting 2, running 1$/,
          ),
          "425 hanging moves after 400 ms",
          expect.stringMatching(/^info: hanging#\d+ moves again, after 400 ms$/),
        ]);
      },
    ));

  it("of a last stage is no stall of those that wait for it", () =>
    watched(
      () => ({
        numbers: endless(),
        middle: child(
          map((n: number) => n),
          { name: middle, subscribeTo: [{ to: numbers, maxDemand: 4 }] },
        ),
        workers: consumerSupervisor<number>(() => new Promise(() => {}), {
          restart: "temporary",
          shutdown: 0,
          subscribeTo: [{ to: middle, maxDemand: 3 }],
        }),
      }),
      async ({ advance }) => {
        await advance(2_000);
        expect(said).toEqual([
          "125 workers 100 ms: running 3, asked 0",
          expect.stringContaining("workers"),
        ]);
      },
    ));

  it("is one where events wait that are asked for, and the dispatcher gives none", () =>
    watched(
      () => {
        const stingy: Dispatcher<unknown> = {
          kind: "stingy",
          make: () => ({
            demand: 5,
            subscribe() {},
            cancel() {},
            ask() {},
            dispatch: () => 0,
          }),
        };
        return {
          numbers: child(
            from(() => range(2)),
            { name: numbers },
          ),
          holding: child(
            map((n: number) => n),
            {
              name: middle,
              dispatcher: stingy,
              subscribeTo: [{ to: numbers, maxDemand: 2, cancel: "temporary" }],
            },
          ),
          sink: child(
            consumer(() => {}),
            { subscribeTo: [middle] },
          ),
        };
      },
      async ({ advance }) => {
        await advance(300);
        expect(said[0]).toBe("125 holding 100 ms: buffered 2, asked 5");
      },
    ));

  it("of any process whose messages wait behind a callback; below any supervisor", () =>
    watched(
      () => {
        class Slow extends Process {
          async work(ms: number): Promise<void> {
            await sleep(ms);
          }
        }
        const slow = name<Slow>("slow");
        return {
          below: supervisor({
            strategy: "one_for_one",
            children: { slow: child(Slow, { name: slow }) },
          }),
          asking: child(
            class extends Process {
              protected override init(): void {
                slow.cast.work(310);
                slow.cast.work(1);
              }
            },
          ),
        };
      },
      async ({ advance }) => {
        await advance(1_000);
        expect(said.filter((line) => !/^\w+:/.test(line))).toEqual([
          "125 slow 100 ms: mailbox 1, running 1, asked 0",
          "325 slow moves after 300 ms",
        ]);
      },
    ));

  it("is there as data while it lasts", async () => {
    await simulate(
      async ({ advance }) => {
        await using app = await startSupervisor({
          strategy: "one_for_one",
          children: {
            stalls: stallDetector({ stallAfterMs: 100 }),
            numbers: endless(),
            once: child(
              consumer(() => sleep(nowMs() === 0 ? 200 : 1)),
              { subscribeTo: [{ to: numbers, maxDemand: 1 }] },
            ),
          },
        });
        const labels = async (): Promise<string[]> =>
          (await app.children.stalls.call.stalls()).map(({ label }) => label);
        await advance(60);
        expect(await labels()).toEqual([]);
        await advance(80);
        expect(await labels()).toEqual(["once"]);
        await advance(100);
        expect(await labels()).toEqual([]);
      },
      { seeds: 10 },
    );
  });
});

describe("no stall", () => {
  it("is a source that is quiet, asked or not, nor what waits for demand or has no consumer", () =>
    watched(
      () => {
        const probe = probeProducer<number>();
        const idle = probeConsumer<number>();
        idle.ask(0);
        const quiet = name<Producer<number>>("quiet");
        const fetching = name<Producer<number>>("fetching");
        return {
          quiet: child(
            from(async function* (): AsyncGenerator<number> {
              yield 1;
              await new Promise(() => {});
            }),
            { name: quiet },
          ),
          fetching: child(
            producer<number>(async (_demand, { signal }) => {
              await sleep(Infinity, signal).catch(() => {});
              return [];
            }),
            { name: fetching },
          ),
          reader: child(
            consumer(() => {}),
            { subscribeTo: [quiet, fetching] },
          ),
          numbers: child(probe.stage, { name: numbers }),
          full: child(
            map((n: number) => n),
            { name: middle, subscribeTo: [numbers] },
          ),
          byHand: child(idle.stage, { subscribeTo: [middle] }),
          lonely: child(
            class extends Producer<number> {
              protected override init(): void {
                this.emit(range(10));
              }
            },
          ),
          pushing: child(
            class extends Process {
              protected override init(): void {
                this.self.after(10, () => probe.emit(range(20)));
              }
            },
          ),
        };
      },
      async ({ advance }) => {
        await advance(5_000);
        expect(said).toEqual([]);
      },
    ));

  it("is what a pause holds back, nor what a dispatcher keeps for a consumer that does not ask", () =>
    watched(
      () => {
        const probe = probeProducer<number>();
        const idle = probeConsumer<number>();
        idle.ask(0);
        return {
          numbers: child(probe.stage, { name: numbers, dispatcher: broadcastDispatcher() }),
          pausing: child(
            class extends ProducerConsumer<number, number> {
              protected override handleEvents(events: readonly number[]): readonly number[] {
                return events;
              }
              protected override handleSubscribe(role: string, _terms: unknown, from: From): void {
                if (role === "producer") this.self.after(5, () => from.pause());
              }
            },
            { name: middle, subscribeTo: [{ to: numbers, maxDemand: 4 }] },
          ),
          sink: child(
            consumer(() => {}),
            { subscribeTo: [middle] },
          ),
          lagging: child(idle.stage, {
            subscribeTo: [{ to: numbers, slow: "dropOldest", maxLag: 10 }],
          }),
          pushing: child(
            class extends Process {
              protected override init(): void {
                this.self.after(10, () => probe.emit([1, 2, 3]));
              }
            },
          ),
        };
      },
      async ({ advance }) => {
        await advance(1_000);
        expect(said).toEqual([]);
      },
    ));

  it("is work that takes long and goes on, nor a thread that something else has held up", () =>
    watched(
      () => ({
        numbers: endless(),
        busy: child(
          consumer(() => sleep(90)),
          { subscribeTo: [{ to: numbers, maxDemand: 10, minDemand: 9 }] },
        ),
      }),
      async ({ advance }) => {
        await advance(10_000);
        expect(said).toEqual([]);
      },
    ));

  it("whatever crashes and is slow, as long as it goes on", async () => {
    let events = 0;
    await simulate(
      async ({ advance, random }) => {
        said = [];
        await using _app = await startSupervisor({
          strategy: "one_for_one",
          maxRestarts: 10_000,
          children: {
            stalls: stallDetector({ stallAfterMs: 500 }),
            numbers: endless(),
            middle: child(
              map(async (n: number) => {
                await sleep(random() * 5);
                return n;
              }),
              { name: middle, subscribeTo: [{ to: numbers, maxDemand: 5, cancel: "temporary" }] },
            ),
            sink: child(
              consumer(async (batch: readonly number[]) => {
                await sleep(random() * 20);
                events += batch.length;
              }),
              { subscribeTo: [{ to: middle, maxDemand: 3 }] },
            ),
          },
        });
        await advance(3_000);
        expect(said.filter((line) => line.includes("still"))).toEqual([]);
      },
      { seeds: 50, faults: { crash: 0.01, slow: { probability: 0.05, maxMs: 50 } } },
    );
    expect(events).toBeGreaterThan(1_000);
  });
});

describe("stallDetector", () => {
  it.each([0, -1, Infinity, NaN, "1"])("refuses %o as stallAfterMs", (stallAfterMs) => {
    expect(() => stallDetector({ stallAfterMs: stallAfterMs as number })).toThrow(
      "expected milliseconds, more than 0",
    );
  });
});
