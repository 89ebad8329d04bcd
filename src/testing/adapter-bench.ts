import { currentSystem } from "../runtime/internal.ts";
import { Process, sleep, start, startSupervisor, type Running } from "../process/index.ts";
import type { RunningSupervisor, ChildSpec } from "../process/index.ts";
import { nodeName, pubsub, topic, type PubSubOptions, type Topic } from "../pubsub/index.ts";
import type { Connection } from "../pubsub/index.ts";
import { topology } from "../stage/index.ts";
import type { AdapterUnderTest } from "./adapter-suite.ts";
import { testNode, type TestNode } from "./test-node.ts";

const lookAgainMs = 2;
const defaultWithinMs = 10_000;

/** Waits until something holds, in Runtime time; tells what did not. */
export async function until(
  what: string,
  holds: () => boolean,
  withinMs: number = defaultWithinMs,
): Promise<void> {
  const { runtime } = currentSystem();
  const deadline = runtime.now() + withinMs;
  while (!holds()) {
    if (runtime.now() > deadline) throw new Error(`never came, in ${withinMs} ms: ${what}`);
    await sleep(lookAgainMs);
  }
}

/** Hears topics, and keeps what it heard. */
export class Ear extends Process {
  readonly #topics: readonly Topic<unknown>[];
  readonly #heard: unknown[];
  readonly #confirmed: boolean;
  #last: Disposable | undefined = undefined;

  constructor(topics: readonly Topic<unknown>[], heard: unknown[], confirmed = true) {
    super();
    this.#topics = topics;
    this.#heard = heard;
    this.#confirmed = confirmed;
  }

  protected override async init(): Promise<void> {
    const subscriptions = this.#topics.map((one) =>
      one.subscribe(this.self, (message) => void this.#heard.push(message)),
    );
    this.#last = subscriptions.at(-1);
    if (this.#confirmed) await Promise.all(subscriptions.map(({ confirmed }) => confirmed));
  }

  sayFrom(message: unknown): void {
    this.#topics[0]!.broadcastFrom(this.self, message);
  }

  /** Disposes the last subscription. */
  forget(): void {
    this.#last?.[Symbol.dispose]();
  }
}

/** A node that is joined to the others. */
export interface JoinedNode extends TestNode {
  readonly app: RunningSupervisor<{ readonly pubsub: ChildSpec<object> }>;
  /** How others know it. */
  readonly name: string;
  /** A topic, bound to the node. */
  topic<T>(key: string): Topic<T>;
  /** A process that hears topics, and what it has heard. */
  ear(...keys: readonly string[]): Promise<HeardBy>;
  /** A figure of its pubsub child. */
  figure(name: string): number;
}

/** An ear, and what it has heard. */
export interface HeardBy {
  readonly heard: unknown[];
  readonly ear: Running<Ear>;
}

/** A connection, and what it was told. */
export interface Wired {
  readonly connection: Connection;
  readonly texts: string[];
  readonly lost: unknown[];
}

/** Nodes and connections of one case. */
export class AdapterBench {
  readonly broker: AdapterUnderTest;
  readonly #ends: (() => Promise<unknown>)[] = [];

  constructor(broker: AdapterUnderTest) {
    this.broker = broker;
  }

  /** One connection by itself. */
  async wire(signal: AbortSignal = new AbortController().signal): Promise<Wired> {
    const texts: string[] = [];
    const lost: unknown[] = [];
    const connection = await this.broker.adapter().connect(
      {
        message: (text) => void texts.push(text),
        lost: (reason) => void lost.push(reason),
      },
      signal,
    );
    this.#ends.push(() => connection.close());
    return { connection, texts, lost };
  }

  /** One node, joined. */
  async node(options: Partial<PubSubOptions> = {}): Promise<JoinedNode> {
    const node = testNode();
    const app = await node.run(() =>
      startSupervisor({
        strategy: "one_for_one",
        children: { pubsub: pubsub({ adapter: this.broker.adapter(), ...options }) },
      }),
    );
    this.#ends.push(() => app.stop());
    const bound = <T>(key: string): Topic<T> => node.system.of(topic<T>(key));
    return {
      ...node,
      app,
      name: node.run(() => nodeName()),
      topic: bound,
      ear: async (...keys) => {
        const heard: unknown[] = [];
        const ear = await node.run(() => start(Ear, { args: [keys.map(bound), heard] }));
        this.#ends.unshift(() => ear.stop());
        return { heard, ear };
      },
      figure: (name) =>
        topology(app).nodes.find(({ label }) => label === "pubsub")?.figures[name] ?? -1,
    };
  }

  async nodes(count: number, options: Partial<PubSubOptions> = {}): Promise<JoinedNode[]> {
    const nodes: JoinedNode[] = [];
    for (let nth = 0; nth < count; nth++) nodes.push(await this.node(options));
    return nodes;
  }

  async end(): Promise<void> {
    for (const end of this.#ends.splice(0)) await end();
  }
}
