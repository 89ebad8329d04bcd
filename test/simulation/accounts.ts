import { currentSystem, topology, type Addressable } from "sluice";
import type { Simulation } from "sluice/testing";
import { attach } from "sluice/telemetry";
import { cellOf, processes, type Cell } from "../../src/process/internal.ts";
import {
  StageKind,
  type ConsumerEngine,
  type ConsumerSupervisorEngine,
  type ProducerEngine,
} from "../../src/stage/internal.ts";

/** An event that knows which one it is, and when it was made. */
export interface Made {
  readonly id: number;
  readonly atMs: number;
}

/** What a message goes through between two stages. */
export type Wire = <M extends object>(message: M) => M;

/** One subscription: what was sent on it, and between whom. */
interface Edge {
  readonly tag: number;
  readonly maxDemand: number;
  readonly producer: Cell;
  readonly consumer: Cell;
  sent: number;
}

/** A message between stages, as far as the books care. */
interface OnWire {
  readonly kind: number;
  readonly tag: number;
  readonly consumer: number;
  readonly options: { readonly maxDemand: number };
  readonly events: readonly Made[];
  readonly enteredMs: number;
}

/**
 * The books of a simulated pipeline, kept outside of its processes, so that they survive the crashes of those. Each
 * accepting stage has one subscription, and a producer-consumer makes one event of one.
 *
 * Exact for each incarnation: a source made what it delivered, buffers and let go; a producer-consumer handled what it
 * delivered, buffers and let go; what was delivered is what went over the wire. Exact for each subscription: with both
 * ends alive and at rest, what was sent was handled; else at most `maxDemand` of it was not. By adding up: produced =
 * handled + in hand at a crash + buffered at a crash + discarded. And what consumers wait for is what their producers owe.
 */
export class Accounts implements Disposable {
  readonly edges: Map<number, Edge> = new Map();
  readonly made: Map<Cell, number> = new Map();
  readonly ended: Map<number, number> = new Map();
  readonly #simulation: Simulation;
  readonly #listeners: Disposable[];
  wrong: string | undefined = undefined;

  constructor(simulation: Simulation, wire: Wire = (message) => message) {
    this.#simulation = simulation;
    const table = currentSystem().get(processes);
    const { wire: before = wire } = table;
    table.wire = (message) => {
      this.#see(message as unknown as OnWire);
      return wire(before(message));
    };
    this.#listeners = [
      attach("sluice.process.exited", ({ pid }) => this.#exited(pid)),
      attach("sluice.log", ({ message }) => {
        if (message.includes("in excess")) this.fail(message);
      }),
    ];
  }

  [Symbol.dispose](): void {
    for (const listener of this.#listeners) listener[Symbol.dispose]();
  }

  /** A source has made so many events more. */
  makes(source: object, count: number): void {
    const cell = cellOf(source);
    this.made.set(cell, (this.made.get(cell) ?? 0) + count);
  }

  /** The last stage is done with an event. `again`: it may come more than once. */
  ends({ id }: Made, again = false): void {
    const times = (this.ended.get(id) ?? 0) + 1;
    this.ended.set(id, times);
    if (times > 1 && !again) this.fail(`event ${id} was handled twice`);
  }

  get total(): number {
    return [...this.made.values()].reduce((sum, made) => sum + made, 0);
  }

  /** Ends the run, with what is wrong in its message. */
  fail(what: string): void {
    if (this.wrong !== undefined) return;
    this.wrong = what;
    this.#simulation.always(what, () => false);
  }

  #see({ kind, tag, consumer: address, options, events, enteredMs }: OnWire): void {
    if (kind === StageKind.subscribe) {
      const consumer = currentSystem().get(processes).addressed.get(address)!;
      const { producer } = (consumer.engine as ConsumerEngine).inlet.intakes.get(tag)!;
      this.edges.set(tag, { tag, maxDemand: options.maxDemand, producer, consumer, sent: 0 });
    }
    if (kind !== StageKind.events) return;
    const edge = this.edges.get(tag)!;
    edge.sent += events.length;
    const oldest = Math.min(...events.map(({ atMs }) => atMs));
    // Behind a producer-consumer a stamp is a bound: that of the oldest event of the message that was handled.
    const first = this.made.has(edge.producer);
    if (first ? enteredMs !== oldest : enteredMs > oldest)
      this.fail(`a stamp of ${enteredMs} on events of ${oldest}`);
  }

  #exited(pid: string): void {
    for (const cell of this.#emitting) if (cell.pid === pid) this.#balance(cell);
  }

  get #emitting(): Set<Cell> {
    return new Set([...this.made.keys(), ...[...this.edges.values()].map((edge) => edge.producer)]);
  }

  #balance(cell: Cell): void {
    const { outlet } = cell.engine as ProducerEngine;
    const { size } = outlet.buffer;
    let sent = 0;
    for (const edge of this.edges.values()) if (edge.producer === cell) sent += edge.sent;
    if (sent !== outlet.delivered)
      this.fail(`${cell.pid} delivered ${outlet.delivered}, and ${sent} went over the wire`);
    const made = this.made.get(cell) ?? (this.#accepts(cell) ? handled(cell) : 0);
    if (made !== sent + size + outlet.dropped)
      this.fail(`${cell.pid}: ${made} are not ${sent} + ${size} + ${outlet.dropped}`);
  }

  #accepts(cell: Cell): boolean {
    return (cell.engine as Partial<ConsumerEngine>).inlet !== undefined;
  }

  /** At rest, with no fault any more: nothing waits, and nothing is missing but what was in hand at a crash. */
  close(app: Addressable, total: number): void {
    const { nodes, edges } = topology(app);
    const alive = new Set(nodes.map(({ pid }) => pid));
    for (const { figures, pid } of nodes) {
      const { buffered = 0, waiting = 0, running = 0, offers = 0 } = figures;
      if (buffered + waiting + running + offers > 0)
        this.fail(`${pid} stands still: ${JSON.stringify(figures)}`);
    }
    // No demand is lost, none doubled, none is of the dead.
    for (const { pid, figures } of nodes.filter(({ kind }) => kind.startsWith("producer"))) {
      const wanted = edges.reduce(
        (sum, { from, pending }) => sum + (from === pid ? pending : 0),
        0,
      );
      if (wanted !== figures["asked"])
        this.fail(`${pid} owes ${figures["asked"]}, its consumers wait for ${wanted}`);
    }
    for (const cell of this.#emitting) this.#balance(cell);
    for (const { tag, sent, maxDemand, producer, consumer } of this.edges.values()) {
      const missing = sent - handled(consumer);
      const most =
        alive.has(producer.pid) && alive.has(consumer.pid) ? 0 : maxDemand + reordering(consumer);
      if (missing < 0 || missing > most)
        this.fail(`${missing} events of subscription ${tag} are missing, at most ${most} may be`);
    }
    if (this.total < total) this.fail(`stands still at ${this.total} of ${total}`);
    if (this.wrong !== undefined) throw new Error(this.wrong);
  }
}

/** How many events an accepting stage has handled to the end, or given up. */
function handled(cell: Cell): number {
  const { engine } = cell;
  if (engine?.role !== "supervisor") return (engine as ConsumerEngine).inlet.handled;
  const { done = 0, failed = 0 } = (engine as ConsumerSupervisorEngine).inspect().figures;
  return done + failed;
}

/** Events that have ended, and were asked for again, and wait for an earlier one. */
function reordering({ engine }: Cell): number {
  return engine?.inspect?.().figures.reordering ?? 0;
}
