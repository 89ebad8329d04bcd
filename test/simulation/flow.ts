import {
  Consumer,
  Producer,
  child,
  map,
  name,
  startSupervisor,
  topology,
  type ProducerConsumer,
  type Topology,
} from "sluice";
import type { Simulation } from "sluice/testing";
import { attach } from "sluice/telemetry";

/** An event that remembers which incarnation of the producer made it, and as which one. */
interface Numbered {
  readonly incarnation: number;
  readonly id: number;
}

const total = 60;
const window = { maxDemand: 8, minDemand: 3 };

/** What happened, counted outside of the processes: it survives their crashes. */
class Ledger {
  produced = 0;
  handled = 0;
  discarded = 0;
  crashes = 0;
  incarnations = 0;
  readonly seen = new Set<string>();
  wrong: string | undefined = undefined;
}

/** At rest, what consumers wait for is what their producers owe: no demand is lost, none doubled, none is of the dead. */
function demandDrift({ nodes, edges }: Topology): string | undefined {
  for (const { pid, kind, figures } of nodes) {
    if (kind !== "producer" && kind !== "producer_consumer") continue;
    const wanted = edges.reduce((sum, { from, pending }) => sum + (from === pid ? pending : 0), 0);
    if (wanted !== figures["asked"])
      return `${pid} owes ${figures["asked"]}, its consumers wait for ${wanted}`;
  }
  return undefined;
}

/**
 * A producer, a processor and three consumers under faults. Holds, at the end: nothing handled twice, order per pair of
 * incarnations, nothing lost but what was in hand at a crash, and no standstill.
 */
export async function flow(simulation: Simulation): Promise<void> {
  const ledger = new Ledger();
  const source = name<Source>("source");
  const processor = name<ProducerConsumer<Numbered, Numbered>>("processor");

  class Source extends Producer<Numbered> {
    readonly #incarnation = ++ledger.incarnations;
    protected override handleDemand(demand: number): Numbered[] {
      const events: Numbered[] = [];
      while (events.length < demand && ledger.produced < total) {
        events.push({ incarnation: this.#incarnation, id: ledger.produced++ });
      }
      return events;
    }
  }

  class Sink extends Consumer<Numbered> {
    readonly #last = new Map<number, number>();
    protected override handleEvents(events: readonly Numbered[]): void {
      if (events.length > window.maxDemand - window.minDemand) {
        ledger.wrong ??= `a batch of ${events.length}`;
      }
      for (const { incarnation, id } of events) {
        const before = this.#last.get(incarnation) ?? -1;
        if (id <= before) ledger.wrong ??= `${id} came after ${before}`;
        this.#last.set(incarnation, id);
        if (ledger.seen.has(String(id))) ledger.wrong ??= `${id} was handled twice`;
        ledger.seen.add(String(id));
        ledger.handled++;
      }
    }
  }

  using _discarded = attach("sluice.stage.discarded", ({ count }) => (ledger.discarded += count));
  using _crashes = attach("sluice.process.exited", ({ reason }) => {
    if (typeof reason === "object" && reason !== null && "crash" in reason) ledger.crashes++;
  });
  using _log = attach("sluice.log", ({ message }) => {
    if (message.includes("in excess")) ledger.wrong ??= message;
  });
  simulation.always("order, and each event once", () => ledger.wrong === undefined);

  const sink = child(Sink, { subscribeTo: [{ to: processor, ...window }] });
  await using app = await startSupervisor({
    strategy: "rest_for_one",
    maxRestarts: 1_000,
    children: {
      source: child(Source, { name: source }),
      processor: child(
        map((event: Numbered) => event),
        { name: processor, subscribeTo: [{ to: source, ...window }] },
      ),
      a: sink,
      b: sink,
      c: sink,
    },
  });
  await simulation.advance(1_000);
  simulation.calm();
  await simulation.quiet();

  const waiting = topology(app).nodes.reduce(
    (sum, { figures: { buffered = 0, waiting: inbox = 0 } }) => sum + buffered + inbox,
    0,
  );
  const lost = ledger.produced - ledger.handled - ledger.discarded - waiting;
  if (ledger.wrong !== undefined) throw new Error(ledger.wrong);
  if (ledger.produced < total) throw new Error(`stands still at ${ledger.produced} of ${total}`);
  const drift = demandDrift(topology(app));
  if (drift !== undefined) throw new Error(drift);
  if (waiting > 0) throw new Error(`${waiting} events wait though all consumers ask`);
  // In hand at a crash: at most what each of the stages that went down had asked for.
  const bound = ledger.crashes * window.maxDemand * 4;
  if (lost < 0 || lost > bound) {
    throw new Error(
      `${lost} events lost in ${ledger.crashes} crashes, at most ${bound} were in hand`,
    );
  }
}
