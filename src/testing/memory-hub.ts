import { invalidOption } from "../support/internal.ts";
import { currentSystem, type Runtime } from "../runtime/internal.ts";
import { checkMs } from "../process/internal.ts";
import type { Adapter, Connection, ConnectionEvents } from "../pubsub/index.ts";
import { MemoryConnection, type Exchange } from "./memory-connection.ts";
import { MemoryLine } from "./memory-line.ts";
import { testNode, type TestNode } from "./test-node.ts";

/** What the lines of a hub do. */
export interface MemoryHubOptions {
  /** Each way between a node and the hub takes from 0 to so many ms; one line keeps its order. Default 0: a turn. */
  readonly maxDelayMs?: number;
  /** The probability that a message or an answer is lost on one line, unsaid; default 0. */
  readonly drop?: number;
  /** The probability that a message comes twice, as from no real broker; default 0. */
  readonly double?: number;
  /** Bytes of one message; default 1 MiB. */
  readonly maxMessageBytes?: number;
}

/** One node of several in one program, at a hub. */
export interface MemoryNode extends TestNode {
  /** Its way to the hub, for `pubsub`. */
  readonly adapter: Adapter;
  /**
   * Cuts its line in silence: what is under way is lost, and nobody is told. `"out"`: only what it says, so that it hears
   * and is not heard; `"in"`: only what it hears.
   */
  cut(way?: "out" | "in"): void;
  /** Mends its line. */
  heal(): void;
}

/** A broker in memory, between nodes in one program. */
export interface MemoryHub {
  /** One more node. */
  node(): MemoryNode;
  /** An adapter for the system at hand. */
  readonly adapter: Adapter;
  /** The broker dies: all connections are lost, and none can be made. */
  stop(): void;
  /** It is there again, and knows nothing. */
  start(): void;
  /** Connections at this moment. */
  readonly connections: number;
}

/** One node's line, and whether it is cut. */
interface Wire {
  out: boolean;
  in: boolean;
}

class Hub implements MemoryHub, Exchange {
  readonly maxMessageBytes: number;
  readonly adapter: Adapter = this.#adapter({ out: false, in: false });
  readonly #runtime: Runtime;
  readonly #options: Required<MemoryHubOptions>;
  readonly #connections: Set<MemoryConnection> = new Set();
  #isRunning = true;
  /** Lines of an earlier life lead nowhere. */
  #lives = 0;

  constructor(runtime: Runtime, options: Required<MemoryHubOptions>) {
    this.#runtime = runtime;
    this.#options = options;
    this.maxMessageBytes = options.maxMessageBytes;
  }

  get connections(): number {
    return this.#connections.size;
  }

  node(): MemoryNode {
    const wire: Wire = { out: false, in: false };
    return {
      ...testNode(),
      adapter: this.#adapter(wire),
      cut(way) {
        wire.out ||= way !== "in";
        wire.in ||= way !== "out";
      },
      heal: () => void (wire.out = wire.in = false),
    };
  }

  stop(): void {
    this.#isRunning = false;
    this.#lives++;
    for (const connection of [...this.#connections]) connection.lose(new Error("the hub is gone"));
  }

  start(): void {
    this.#isRunning = true;
  }

  spread(topic: string, text: string): void {
    for (const connection of this.#connections)
      if (connection.topics.has(topic)) connection.hear(text);
  }

  left(connection: MemoryConnection): void {
    this.#connections.delete(connection);
  }

  #adapter(wire: Wire): Adapter {
    return {
      kind: "memory",
      isLoopback: true,
      connect: (events, signal) => this.#connect(wire, events, signal),
    };
  }

  #connect(wire: Wire, events: ConnectionEvents, signal: AbortSignal): Promise<Connection> {
    const runtime = this.#runtime;
    const { maxDelayMs, drop, double } = this.#options;
    const chance = (probability: number): boolean =>
      probability > 0 && runtime.random() < probability;
    const life = this.#lives;
    const line = (way: keyof Wire): MemoryLine =>
      new MemoryLine(runtime, {
        maxDelayMs,
        isLost: () => wire[way] || life !== this.#lives || chance(drop),
        isDouble: () => chance(double),
      });
    return new Promise((resolve, reject) => {
      const abort = (): void => reject(signal.reason as Error);
      signal.addEventListener("abort", abort, { once: true });
      if (signal.aborted) return abort();
      runtime.turn(() => {
        if (!this.#isRunning) return reject(new Error("the hub is not there"));
        // The line is dead, and whoever calls waits.
        if (wire.out || wire.in || signal.aborted) return;
        signal.removeEventListener("abort", abort);
        const connection = new MemoryConnection(this, events, line("out"), line("in"));
        this.#connections.add(connection);
        resolve(connection);
      });
    });
  }
}

/**
 * A broker in memory for tests of several nodes in one program, under real, manual or simulated time: it delays, lets the
 * messages of different nodes overtake each other, loses and doubles them, is cut off from single nodes, dies and comes
 * back, all by the chance of the Runtime at hand, so that `simulate` replays it. It passes `adapterSuite`.
 *
 * ```ts
 * import { Process, start, startSupervisor } from "sluice";
 * import { pubsub, topic } from "sluice/pubsub";
 * import { memoryHub } from "sluice/testing";
 *
 * const prices = topic<number>("prices");
 * class Board extends Process {
 *   last = 0;
 *   protected override async init(): Promise<void> {
 *     await prices.subscribe(this.self, (price) => void (this.last = price)).confirmed;
 *   }
 *   price(): number {
 *     return this.last;
 *   }
 * }
 *
 * const hub = memoryHub();
 * const [here, there] = [hub.node(), hub.node()];
 * const joined = (node: typeof here) =>
 *   node.run(() =>
 *     startSupervisor({
 *       strategy: "rest_for_one",
 *       children: { pubsub: pubsub({ adapter: node.adapter }) },
 *     }),
 *   );
 * await using _here = await joined(here);
 * await using _there = await joined(there);
 * await using board = await there.run(() => start(Board));
 * here.system.of(prices).broadcast(42);
 * while ((await board.call.price()) !== 42);
 * ```
 *
 * @throws SluiceError `SLUICE_INVALID_OPTION`
 */
export function memoryHub(options: MemoryHubOptions = {}): MemoryHub {
  const all = { maxDelayMs: 0, drop: 0, double: 0, maxMessageBytes: 2 ** 20, ...options };
  checkMs("maxDelayMs", all.maxDelayMs, false);
  for (const option of ["drop", "double"] as const)
    if (!(all[option] >= 0 && all[option] <= 1))
      throw invalidOption(option, all[option], "a number from 0 to 1");
  return new Hub(currentSystem().runtime, all);
}
