// Nodes that come, go, crash, are cut off and heal, while guests join and leave: R53.
import { simulate, type Simulation, type SimulationReport } from "sluice/testing";
import { currentSystem } from "../../src/runtime/internal.ts";
import { Net } from "./net.ts";
import { Node } from "./node.ts";
import type { Summary } from "./summary.ts";

const topics = ["a", "b"];
const keys = ["one", "two", "three", "__proto__"];
const periods = { beatMs: 1_500, silentBeats: 2, downMs: 6_000, forgetMs: 20_000 };

/** What one run came to. */
export interface Converged {
  /** Beats from when nothing went wrong any more until all nodes saw the same. */
  readonly beats: number;
  /** From a clean stop, and from a kill, until no other node sees what was there. */
  readonly stopMs: number;
  readonly killMs: number;
  readonly acts: number;
  readonly carried: number;
  /** Presences in the end. */
  readonly present: number;
}

/** All runs of some seeds. */
export interface Worlds {
  readonly report: SimulationReport;
  readonly runs: readonly Converged[];
}

/** Runs each seed. @throws SLUICE_SIMULATION_FAILED as a rejection, with the seed */
export async function worlds(seeds: number | readonly number[]): Promise<Worlds> {
  const runs: Converged[] = [];
  const report = await simulate(
    async (simulation) => {
      runs.push(await new World(simulation).run(40));
    },
    { seeds, maxShrinks: 0 },
  );
  return { report, runs };
}

/** What they came to. */
export function summary({ report, runs }: Worlds): Summary {
  const sum = (of: (run: Converged) => number): number =>
    runs.reduce((all, run) => all + of(run), 0);
  const most = (of: (run: Converged) => number): number => Math.max(...runs.map(of));
  return {
    seeds: report.seeds,
    traces: report.traces,
    acts: sum(({ acts }) => acts),
    carried: sum(({ carried }) => carried),
    present: sum(({ present }) => present),
    mostBeats: most(({ beats }) => beats),
    mostStopMs: most(({ stopMs }) => stopMs),
    mostKillMs: most(({ killMs }) => killMs),
  };
}

/** The course of one run. */
export class World {
  readonly #simulation: Simulation;
  readonly #net: Net;
  readonly #nodes: Node[] = [];
  #count = 0;

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
    this.#net = new Net(currentSystem());
  }

  async run(acts: number): Promise<Converged> {
    const { random, advance } = this.#simulation;
    const size = 3 + this.#below(3);
    for (let n = 0; n < size; n++) await this.#start();
    // Longer than beats are apart: they overtake each other.
    const maxDelayMs = random() < 0.5 ? 100 : 4_000;
    this.#net.faults = { maxDelayMs, lose: 0.3 * random(), double: 0.3 * random() };
    for (let act = 0; act < acts; act++) {
      await this.#act();
      // Mostly little time passes, sometimes as much as it takes to be taken for dead, or to be forgotten.
      const span = random();
      await advance(
        span < 0.8 ? 500 * random() : span < 0.97 ? 5_000 * random() : 25_000 * random(),
      );
    }
    this.#net.heal();
    this.#net.faults = { maxDelayMs: 10, lose: 0, double: 0 };
    const beats = await this.#converge();
    const present = this.#expected.length;
    this.#net.faults = { maxDelayMs: 4_000, lose: 0, double: 0.3 };
    const { stopMs, killMs } = await this.#ends();
    const { carried } = this.#net;
    for (const node of this.#nodes) await node.stop();
    // What is under way arrives nowhere.
    await advance(10_000);
    return { stopMs, killMs, beats, acts, carried, present };
  }

  async #start(): Promise<void> {
    const node = new Node(topics[0]!);
    this.#net.join(node.system);
    await node.start({
      ...periods,
      prototypeNames: true,
      maxRemovals: 1 + this.#below(10),
      maxMessageBytes: 1_024,
      limits: { updatesPerSecond: 1_000 },
    });
    this.#nodes.push(node);
  }

  async #act(): Promise<void> {
    const chance = this.#simulation.random();
    const node = this.#nodes[this.#below(this.#nodes.length)]!;
    if (chance < 0.73) return this.#guestActs(node);
    if (chance < 0.75) return node.crash();
    if (chance < 0.85) return this.#cut(node);
    if (chance < 0.92) return this.#net.heal();
    if (chance < 0.95 && this.#nodes.length < 5) return this.#start();
    if (this.#nodes.length <= 2) return;
    this.#nodes.splice(this.#nodes.indexOf(node), 1);
    if (chance < 0.98) {
      this.#net.leave(node.system);
      node.kill();
    } else {
      await node.stop();
      this.#net.leave(node.system);
    }
  }

  /** One way, or both, to some of the others. */
  #cut(node: Node): void {
    for (const other of this.#nodes) {
      if (other === node || this.#simulation.random() < 0.3) continue;
      this.#net.cut(node.system, other.system);
      if (this.#simulation.random() < 0.7) this.#net.cut(other.system, node.system);
    }
  }

  async #guestActs(node: Node): Promise<void> {
    const name = `guest ${this.#below(4)}`;
    const guest = node.guests.get(name) ?? (await node.guest(name));
    const held = node.held.get(name)!;
    const topic = topics[this.#below(topics.length)]!;
    const key = keys[this.#below(keys.length)]!;
    const at = `${topic} ${key}`;
    const chance = this.#simulation.random();
    if (chance < 0.1) {
      // A crash, or a leave without a word: all that it has tracked is gone with it.
      node.guests.delete(name);
      node.held.delete(name);
      if (chance < 0.05) await guest.call.crash().catch(() => {});
      else await guest.stop("shutdown");
    } else if (!held.has(at)) held.set(at, await guest.call.enter(topic, key, ++this.#count));
    else if (chance < 0.6) held.set(at, await guest.call.change(topic, key, ++this.#count));
    else {
      held.delete(at);
      await guest.call.exit(topic, key);
    }
  }

  /** R54: a node that stops is gone at once, one that is killed within the down period; neither comes back. */
  async #ends(): Promise<{ readonly stopMs: number; readonly killMs: number }> {
    const { maxDelayMs } = this.#net.faults;
    const [stopped, killed] = [
      this.#nodes.pop()!,
      this.#nodes.length > 1 ? this.#nodes.pop() : undefined,
    ];
    const gone = stopped.tracked;
    await stopped.stop();
    this.#net.leave(stopped.system);
    const stopMs = await this.#goneWithin(maxDelayMs, gone);
    if (killed === undefined) return { stopMs, killMs: 0 };
    const lost = killed.tracked;
    this.#net.leave(killed.system);
    killed.kill();
    const killMs = await this.#goneWithin(maxDelayMs + periods.downMs + periods.beatMs, lost);
    return { stopMs, killMs };
  }

  /** @throws Error when one of them is still seen then, or again in the time after */
  async #goneWithin(ms: number, gone: readonly string[]): Promise<number> {
    const stepMs = 500;
    let lastMs = 0;
    for (let passedMs = 0; passedMs <= ms + 4 * stepMs; passedMs += stepMs) {
      const seen = await Promise.all(this.#nodes.map((node) => node.sees(topics)));
      const ghost = gone.find((one) => seen.some((all) => all.includes(one)));
      if (ghost !== undefined) lastMs = passedMs + stepMs;
      if (ghost !== undefined && passedMs > ms)
        throw new Error(`a ghost after ${passedMs} ms: ${ghost}`);
      await this.#simulation.advance(stepMs);
    }
    return lastMs;
  }

  get #expected(): string[] {
    return this.#nodes.flatMap(({ tracked }) => tracked).toSorted();
  }

  /** @throws Error when some node does not see what there is after all periods have passed */
  async #converge(): Promise<number> {
    const expected = this.#expected.join("\n");
    const client = this.#expected
      .filter((at) => at.startsWith(`${topics[0]} `))
      .map((at) => at.slice(topics[0]!.length + 1))
      .toSorted()
      .join("\n");
    const last = 2 + (periods.downMs + periods.forgetMs) / periods.beatMs;
    let wrong = "";
    for (let beats = 0; beats <= last; beats++) {
      wrong = "";
      for (const [n, node] of this.#nodes.entries()) {
        const seen = (await node.sees(topics)).join("\n");
        if (seen !== expected) wrong ||= `node ${n} sees\n${seen}\nand not\n${expected}`;
        const told = node.client.refs.join("\n");
        if (told !== client) wrong ||= `the client of node ${n} has\n${told}\nand not\n${client}`;
      }
      if (wrong === "") return beats;
      await this.#simulation.advance(periods.beatMs);
    }
    throw new Error(wrong);
  }

  #below(count: number): number {
    return Math.floor(this.#simulation.random() * count);
  }
}
