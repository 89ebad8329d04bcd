// `npm run soak -- --minutes 10`: a pipeline at full speed whose stages crash every now and then, beside 10,000
// processes of which one is killed per tick; fails when memory grows or a count does not come back. Not in CI.
import { argv, memoryUsage } from "node:process";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  Consumer,
  Process,
  Producer,
  ProducerConsumer,
  child,
  currentSystem,
  dynamicSupervisor,
  name,
  run,
  sleep,
  supervisor,
  task,
  type Context,
  type DynamicSupervisor,
  type Ref,
} from "sluice";
import { attach } from "sluice/telemetry";
import { slopeOf } from "./slope.ts";

const { values } = parseArgs({
  args: argv.slice(2),
  options: {
    minutes: { type: "string", default: "10" },
    population: { type: "string", default: "10000" },
  },
});
const minutes = Number(values.minutes);
const population = Number(values.population);
const sampleMs = Math.min(5_000, minutes * 1_500);
/** Growth of the heap after collection that a run may show: noise, not a leak. */
const mostKbPerMinute = 512;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

interface Item {
  readonly id: number;
  readonly text: string;
}
const crowd = name<DynamicSupervisor>("crowd");
let [events, restarts, kills, down] = [0, 0, 0, 0];

class Source extends Producer<Item> {
  #id = 0;
  crash(): void {
    throw new Error("a crash of the soak");
  }
  protected override handleDemand(demand: number): Item[] {
    return Array.from({ length: demand }, () => ({ id: ++this.#id, text: `item ${this.#id}` }));
  }
}
class Middle extends ProducerConsumer<Item, Item> {
  crash(): void {
    throw new Error("a crash of the soak");
  }
  protected override handleEvents(items: readonly Item[]): Item[] {
    return items.map((item) => ({ ...item, id: -item.id }));
  }
}
class Sink extends Consumer<Item> {
  crash(): void {
    throw new Error("a crash of the soak");
  }
  protected override handleEvents(items: readonly Item[]): void {
    events += items.length;
  }
}
class Member extends Process {
  poke(): void {}
}
const source = name<Source>("source");
const middle = name<Middle>("middle");
const sink = name<Sink>("sink");

/** Every now and then a stage crashes: each in turn, and what stands after it with it. */
async function crashes({ signal }: Context): Promise<void> {
  for (;;) {
    for (const stage of [source, middle, sink]) {
      await sleep(500, signal);
      stage.cast.crash();
    }
  }
}

/** All of the crowd are there. */
const gathered = Promise.withResolvers<void>();

/** One of the crowd is killed and replaced, at each tick. */
async function killings({ signal }: Context): Promise<void> {
  const spec = child(Member, { restart: "temporary", shutdown: "kill" });
  const join = async (): Promise<Ref<Member>> => {
    const member = await crowd.call.startChild(spec);
    member.cast.poke();
    return member;
  };
  const members: Ref<Member>[] = [];
  while (members.length < population)
    members.push(...(await Promise.all(Array.from({ length: 1_000 }, join))));
  gathered.resolve();
  for (;;) {
    await sleep(1, signal);
    const at = Math.floor(currentSystem().runtime.random() * population);
    await crowd.call.terminateChild(members[at]!);
    members[at] = await join();
    kills++;
  }
}

interface Sample {
  readonly minutes: number;
  readonly heapKb: number;
  readonly rssKb: number;
}
const samples: Sample[] = [];

async function watch({ signal }: Context): Promise<void> {
  await gathered.promise;
  const begun = performance.now();
  let before = events;
  for (;;) {
    await sleep(sampleMs, signal);
    collect();
    const { heapUsed, rss } = memoryUsage();
    const sample = {
      minutes: (performance.now() - begun) / 60_000,
      heapKb: heapUsed / 1_024,
      rssKb: rss / 1_024,
    };
    samples.push(sample);
    const rate = (events - before) / sampleMs / 1_000;
    before = events;
    console.info(
      `${sample.minutes.toFixed(2)} min  ${rate.toFixed(2)} M events/s  heap ${(sample.heapKb / 1_024).toFixed(1)} MB  rss ${(sample.rssKb / 1_024).toFixed(0)} MB  restarts ${restarts}  kills ${kills}`,
    );
  }
}

using _log = attach("sluice.log", () => {});
using _restarts = attach("sluice.supervisor.restarted", () => restarts++);
using _exits = attach("sluice.process.exited", () => down++);

const flow = supervisor({
  strategy: "rest_for_one",
  maxRestarts: 1_000_000,
  children: {
    source: child(Source, { name: source }),
    middle: child(Middle, { name: middle, subscribeTo: [source] }),
    sink: child(Sink, { name: sink, subscribeTo: [middle] }),
  },
});
await run(
  {
    strategy: "one_for_one",
    children: {
      flow,
      crowd: dynamicSupervisor({ name: crowd, maxChildren: population }),
      crashes: task(crashes),
      killings: task(killings),
      watch: task(watch),
    },
  },
  {
    async ready(app) {
      await gathered.promise;
      await sleep(minutes * 60_000);
      const { specs, active } = await crowd.call.countChildren();
      console.info(`crowd: ${active} of ${specs}; ended in all: ${down}`);
      await app.stop("shutdown");
    },
  },
);

// The first third is for what is compiled, and for heaps to find their size.
const settled = samples.slice(Math.floor(samples.length / 3));
const heap = slopeOf(settled.map((sample) => [sample.minutes, sample.heapKb]));
const rss = slopeOf(settled.map((sample) => [sample.minutes, sample.rssKb]));
console.info(
  `heap ${heap.toFixed(0)} KB/min, rss ${rss.toFixed(0)} KB/min, over ${settled.length} samples`,
);
const timers = currentSystem().wheel.size;
if (events === 0 || restarts === 0 || kills === 0) throw new Error("the soak did nothing");
if (heap > mostKbPerMinute) throw new Error(`the heap grows by ${heap.toFixed(0)} KB/min`);
if (timers > 0) throw new Error(`${timers} timers are left`);
console.info(`ok: ${events} events, ${restarts} restarts, ${kills} kills`);
