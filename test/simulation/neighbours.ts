import { Process, child, startSupervisor, type Target } from "sluice";
import { pubsub, topic } from "sluice/pubsub";
import { attach } from "sluice/telemetry";
import { memoryHub, type MemoryNode, type Simulation } from "sluice/testing";
import { bus } from "../../src/pubsub/internal.ts";
import { judge } from "./judge.ts";

interface Word {
  readonly from: number;
  readonly n: number;
}
/** Words that did not come, between two that did. */
interface Hole {
  readonly from: number;
  readonly n: number;
  readonly sinceMs: number;
  readonly untilMs: number;
}
const news = topic<Word>("news");
const maxDelayMs = 100;
const thereAndBackMs = 2 * maxDelayMs;

/** Hears the news of all nodes, and says some of them. */
class Ear extends Process {
  readonly #hear: (word: Word) => void;
  constructor(hear: (word: Word) => void) {
    super();
    this.#hear = hear;
  }
  protected override async init(): Promise<void> {
    await news.subscribe(this.self, this.#hear).confirmed;
  }
  say(word: Word): void {
    news.broadcastFrom(this.self, word);
  }
}

/** What runs of it came to, for who wants to know that everything happened. */
export const known = { words: 0, holes: 0, gaps: 0 };

/**
 * Nodes behind a broker that is slow, dies and is cut off: what each says is heard on all, by everybody but whoever said it, in
 * its order and at most once; its own node misses nothing, another one only what a gap has told of, and in the end nothing.
 */
export async function neighbours(simulation: Simulation): Promise<void> {
  using _silent = attach("sluice.log", () => {});
  simulation.calm();
  const { random, advance } = simulation;
  const fail = judge(simulation);
  const heartbeatMs = random() < 0.5 ? 400 : 170;
  // There and back it may take longer than a heartbeat: some connections are given up with words on their way.
  const hub = memoryHub({ maxDelayMs });
  const nodes: Neighbour[] = [];
  for (const at of [0, 1, 2]) nodes.push(await Neighbour.start(at, hub.node(), heartbeatMs, fail));
  const say = async (): Promise<void> => nodes[Math.floor(random() * nodes.length)]!.say();
  for (let round = 0; round < 30; round++) {
    for (let more = Math.floor(random() * 4); more > 0; more--) await say();
    const what = random();
    // Shorter than it takes to be found, no line of a real broker loses anything.
    const ms = 3 * heartbeatMs + thereAndBackMs + random() * 500;
    if (what < 0.1) {
      hub.stop();
      await say();
      await advance(ms);
      hub.start();
    } else if (what < 0.25) {
      const { node } = nodes[Math.floor(random() * nodes.length)]!;
      node.cut(what < 0.15 ? "in" : what < 0.2 ? "out" : undefined);
      await say();
      await advance(ms);
      node.heal();
    } else await advance(random() * 200);
  }
  // Until all are connected again, and none is given up while the last is said.
  for (let tries = 0; tries < 50 && !nodes.every((one) => one.hasHeardAll(nodes)); tries++) {
    await advance(1_000);
    for (const one of nodes) await one.say();
    await advance(250);
  }
  for (const one of nodes) one.close(nodes);
  for (const one of nodes) await one.stop();
}

class Neighbour {
  readonly at: number;
  readonly node: MemoryNode;
  said = 0;
  /** Of what each node has said, the last that was heard here. */
  readonly #last = [0, 0, 0];
  readonly #lastAtMs = [0, 0, 0];
  readonly #holes: Hole[] = [];
  readonly #gaps: { readonly name: string; readonly atMs: number }[] = [];
  readonly #fail: (what: string) => void;
  #mouth!: Target<Ear>;
  #stop!: () => Promise<unknown>;

  private constructor(at: number, node: MemoryNode, fail: (what: string) => void) {
    this.at = at;
    this.node = node;
    this.#fail = fail;
  }

  static async start(
    at: number,
    node: MemoryNode,
    heartbeatMs: number,
    fail: (what: string) => void,
  ): Promise<Neighbour> {
    const one = new Neighbour(at, node, fail);
    node.system.get(bus).onGap(({ node: name }) => {
      known.gaps++;
      one.#gaps.push({ name, atMs: one.#nowMs });
    });
    const own = ({ from, n }: Word): void => {
      if (from === at) fail(`node ${at} heard its own ${n}`);
    };
    const app = await node.run(() =>
      startSupervisor({
        strategy: "rest_for_one",
        children: {
          pubsub: pubsub({
            adapter: node.adapter,
            heartbeatMs,
            nodeName: `node ${at}`,
            reconnectDelayMs: 10,
            connectTimeoutMs: 500,
          }),
          mouth: child(Ear, { args: [own] }),
          ear: child(Ear, { args: [(word: Word) => one.#hear(word)] }),
        },
      }),
    );
    one.#mouth = app.children.mouth;
    one.#stop = () => app.stop();
    return one;
  }

  async say(): Promise<void> {
    await this.#mouth.call.say({ from: this.at, n: ++this.said });
  }

  #hear({ from, n }: Word): void {
    known.words++;
    const last = this.#last[from]!;
    if (n <= last) this.#fail(`node ${this.at} heard ${n} of node ${from} behind ${last}`);
    if (n > last + 1)
      this.#holes.push({ from, n, sinceMs: this.#lastAtMs[from]!, untilMs: this.#nowMs });
    this.#last[from] = n;
    this.#lastAtMs[from] = this.#nowMs;
  }

  hasHeardAll(nodes: readonly Neighbour[]): boolean {
    return nodes.every(({ at, said }) => this.#last[at] === said);
  }

  /** The last has been said. */
  close(nodes: readonly Neighbour[]): void {
    if (!this.hasHeardAll(nodes)) this.#fail(`node ${this.at} came to ${this.#last.join()}`);
    known.holes += this.#holes.length;
    for (const { from, n, sinceMs, untilMs } of this.#holes) {
      if (from === this.at) this.#fail(`node ${from} missed what was said on itself before ${n}`);
      // It may hear again before its broker has confirmed that it does.
      const isTold = this.#gaps.some(
        ({ name, atMs }) =>
          [`node ${from}`, `node ${this.at}`].includes(name) &&
          atMs >= sinceMs &&
          atMs <= untilMs + thereAndBackMs,
      );
      if (!isTold) this.#fail(`node ${this.at} missed some of node ${from} before ${n}, untold`);
    }
  }

  get #nowMs(): number {
    return this.node.system.runtime.now();
  }

  async stop(): Promise<void> {
    await this.#stop();
  }
}
