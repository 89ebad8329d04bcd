import {
  Producer,
  child,
  consumer,
  drain,
  map,
  name,
  sleep,
  start,
  startSupervisor,
  subscribe,
  type ProducerConsumer,
} from "sluice";
import { attach } from "sluice/telemetry";
import { probeConsumer, type Simulation } from "sluice/testing";
import { judge } from "./judge.ts";

class Shelf extends Producer<number> {
  put(events: readonly number[]): void {
    this.emit([...events]);
  }
  /** Ends when all that it has is out. */
  last(): void {
    this.self.afterBuffered(() => this.self.stop("normal"));
  }
}

/** A buffer that is too small keeps the end that it was told to keep; one that ends lets all out first. */
export async function keeping(simulation: Simulation): Promise<void> {
  using _silent = attach("sluice.log", () => {});
  simulation.calm();
  const { random, advance, quiet } = simulation;
  const fail = judge(simulation);
  const bufferKeep = random() < 0.5 ? "first" : "last";
  const bufferSize = 2 + Math.floor(random() * 5);
  const shelf = name<Shelf>("shelf");
  await using _shelf = await start(Shelf, { name: shelf, bufferSize, bufferKeep });
  const all: number[] = [];
  for (let batch = 0; batch < 3; batch++) {
    const from = all.length;
    const events = Array.from({ length: 1 + Math.floor(random() * 5) }, (_, n) => from + n);
    all.push(...events);
    shelf.cast.put(events);
  }
  await quiet();
  const kept = bufferKeep === "first" ? all.slice(0, bufferSize) : all.slice(-bufferSize);
  const seen = probeConsumer<number>();
  seen.ask(0);
  await using probe = await start(seen.stage);
  await subscribe(probe, { to: shelf, cancel: "temporary" });
  shelf.cast.last();
  for (let nth = 0; nth < all.length; nth++) {
    seen.ask(1);
    await advance(1);
  }
  const got = seen.batches.flat();
  if (got.join() !== kept.join())
    fail(
      `of ${all.length} events the ${bufferKeep} ${bufferSize} are ${kept.join()}, got ${got.join()}`,
    );
  if (shelf.whereis() !== undefined) fail("it does not end when all is out");
}

/** A drain takes nothing new, and everything that was made gets through before it is over. */
export async function leaving(simulation: Simulation): Promise<void> {
  using _silent = attach("sluice.log", () => {});
  simulation.calm();
  const fail = judge(simulation);
  const [source, processor] = [name<Source>("source"), name<ProducerConsumer<number, number>>("p")];
  let made = 0;
  let done = 0;
  class Source extends Producer<number> {
    protected override async handleDemand(demand: number): Promise<number[]> {
      await sleep(1 + simulation.random() * 3);
      return Array.from({ length: Math.min(demand, 4) }, () => made++);
    }
  }
  const work = (ms: number) => sleep(simulation.random() * ms);
  await using app = await startSupervisor({
    strategy: "rest_for_one",
    children: {
      source: child(Source, { name: source }),
      processor: child(
        map(async (n: number) => {
          await work(2);
          return n;
        }),
        { name: processor, subscribeTo: [{ to: source, maxDemand: 8 }] },
      ),
      end: child(
        consumer(async (events: readonly number[]) => {
          await work(10);
          done += events.length;
        }),
        { subscribeTo: [{ to: processor, maxDemand: 4 }] },
      ),
    },
  });
  await simulation.advance(20 + simulation.random() * 60);
  const { left } = await drain(app, { timeoutMs: 60_000 });
  if (left.length > 0) fail(`left: ${JSON.stringify(left)}`);
  if (made === 0 || made !== done) fail(`${made} were made and ${done} got through`);
}
