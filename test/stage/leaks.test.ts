import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, beforeEach, expect, it } from "vitest";
import {
  Consumer,
  Process,
  Producer,
  child,
  map,
  name,
  names,
  start,
  startDynamicSupervisor,
  startSupervisor,
  withSystem,
  type Addressable,
  type ProducerConsumer,
  type Ref,
} from "../../src/index.ts";
import { cellOf, processes, type Cell } from "../../src/process/internal.ts";
import { currentSystem } from "../../src/runtime/index.ts";
import { attach } from "../../src/telemetry/index.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";
import type { ProducerEngine } from "../../src/stage/producer-engine.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

let silence: Disposable;
beforeEach(() => void (silence = attach("sluice.log", () => {})));
afterEach(() => silence[Symbol.dispose]());

const heap = (): number => {
  collect();
  return process.memoryUsage().heapUsed;
};
const turn = (): Promise<void> => new Promise((resolve) => currentSystem().runtime.turn(resolve));

/** Lives through all rounds, and knows the processes of each. */
class Neighbour extends Process {
  downs = 0;
  protected override init(): void {
    this.self.trapExits(() => {});
  }
  meet(ref: Addressable): void {
    this.self.link(ref as Ref<unknown>);
    this.self.monitor(ref, () => void this.downs++);
    this.self.monitor(ref, () => void this.downs++)[Symbol.dispose]();
    this.self.after(60_000, () => {})[Symbol.dispose]();
  }
  /** Everything that it holds of others. */
  holds(): readonly number[] {
    const { children, extras } = cellOf(this);
    const { links, watching, onDead, own } = extras;
    return [links, watching, onDead, own?.open, children].map((held) => held?.size ?? 0);
  }
  told(): number {
    return this.downs;
  }
}

const numbers = name<Source>("numbers");
const doubled = names<ProducerConsumer<number, number>>("doubled");
class Source extends Producer<number> {
  /** Three events, once demand for them is there. */
  feed(): Promise<void> {
    return this.offer([1, 2, 3]);
  }
}
class Sink extends Consumer<number> {
  seen = 0;
  protected override init(): void {
    this.self.every(60_000, () => {});
  }
  protected override handleEvents(events: readonly number[]): void {
    this.seen += events.length;
  }
  total(): number {
    return this.seen;
  }
}
const sink = name<Sink>("sink");
const pipeline = {
  strategy: "rest_for_one",
  children: {
    source: child(Source, { name: numbers }),
    double: child(
      map((n: number) => n * 2),
      { name: doubled("a"), subscribeTo: [{ to: numbers, maxDemand: 3 }] },
    ),
    sink: child(Sink, { name: sink, subscribeTo: [{ to: doubled("a"), maxDemand: 3 }] }),
  },
} as const;

it(
  "10,000 starts and stops of a pipeline leave no process, timer, name, monitor, link or subscription, and no memory",
  () =>
    withSystem(async (system) => {
      const table = system.get(processes);
      await using neighbour = await start(Neighbour);
      let before = 0;
      const rounds = 10_000;
      for (let round = 0; round < rounds; round++) {
        if (round === 1_000) before = heap();
        const app = await startSupervisor(pipeline);
        for (const named of [numbers, doubled("a"), sink]) neighbour.cast.meet(named.whereis()!);
        if (round % 10 === 0) {
          await numbers.call.feed();
          while ((await sink.call.total()) < 3);
        }
        await app.stop(
          round % 3 === 0 ? "shutdown" : "normal",
          round % 100 === 0 ? { timeoutMs: 0 } : {},
        );
      }
      await turn();
      expect(await neighbour.call.told()).toBe(rounds * 3);
      expect(await neighbour.call.holds()).toEqual([0, 0, 0, 0, 0]);
      expect([table.count, table.names.size, table.addressed.size, table.zombies]).toEqual([
        1, 0, 0, 0,
      ]);
      expect(system.wheel.size).toBe(0);
      // 9,000 rounds; a reference of a few bytes for each would show.
      expect(heap() - before).toBeLessThan(1_000_000);
    }),
  60_000,
);

it(
  "R11: 1,000 consumers that came and went are not kept by their producer",
  () =>
    withSystem(async () => {
      await using source = await start(Source);
      const gone: WeakRef<object>[] = [];
      class Visitor extends Sink {
        protected override init(): void {
          gone.push(new WeakRef(this));
        }
      }
      const kept = (): number => gone.filter((one) => one.deref() !== undefined).length;
      const visit = async (n: number): Promise<void> => {
        const visitor = await start(Visitor, {
          subscribeTo: [{ to: source, maxDemand: 3, cancel: "temporary" }],
        });
        await source.call.feed();
        expect(await visitor.call.total()).toBe(3);
        await visitor.stop("shutdown", n % 2 === 0 ? {} : { timeoutMs: 0 });
      };
      for (let n = 0; n < 1_000; n++) await visit(n);
      // A WeakRef holds its object until the turn in which it was looked at has ended.
      for (let n = 0; n < 20 && kept() > 0; n++) {
        await turn();
        collect();
      }
      expect([gone.length, kept()]).toEqual([1_000, 0]);
      const cell = source["~resolve"]() as Cell;
      const { outlet } = cell.engine as ProducerEngine;
      expect([outlet.consumptions.size, outlet.leaving.size]).toEqual([0, 0]);
      expect([cell.more?.onDead?.size ?? 0, cell.more?.watching?.size ?? 0]).toEqual([0, 0]);
    }),
  60_000,
);

it(
  "R33: of 10,000 processes one is killed at each turn, 3,000 times: each is restarted, nothing is left, memory stays",
  () =>
    withSystem(async (system) => {
      const crowd = await startDynamicSupervisor({ maxRestarts: 1_000_000 });
      const spec = child(Neighbour, { shutdown: "kill" });
      for (let n = 0; n < 10; n++)
        await Promise.all(Array.from({ length: 1_000 }, () => crowd.call.startChild(spec)));
      const random = seededRandom(33);
      const killOne = async (): Promise<void> => {
        const living = [...(crowd["~resolve"]() as Cell).children!];
        for (let n = 0; n < 100; n++) {
          living[Math.floor(random() * living.length)]!.kill("killed");
          await turn();
        }
      };
      await killOne();
      const before = heap();
      for (let n = 0; n < 29; n++) await killOne();
      const { specs, active, restarts } = await crowd.call.countChildren();
      expect({ specs, active }).toEqual({ specs: 10_000, active: 10_000 });
      // One that was chosen twice is killed once.
      expect(restarts).toBeGreaterThan(2_950);
      expect(heap() - before).toBeLessThan(1_000_000);
      await crowd.stop();
      expect([system.get(processes).count, system.wheel.size]).toEqual([0, 0]);
    }),
  60_000,
);
