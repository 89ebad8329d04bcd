// One node of several in one program: a system of its own, with a tracker, guests who track, and a client who is told.
import { Presence as StockPresence } from "phoenix";
import { Process, sleep, start, startSupervisor, type Running } from "sluice";
import { presence, type Announces, type PresenceOptions, type Presence } from "sluice/presence";
import { LazySignal, cellOf, processes, type Cell } from "../../src/process/internal.ts";
import { System, currentSystem, thread } from "../../src/runtime/internal.ts";

/** What is said of each guest. */
export interface Meta {
  readonly n: number;
}

/** The presence under test. */
export const here: Presence<Meta> = presence<Meta>("here");

/** Somebody who tracks. */
export class Guest extends Process {
  enter(topic: string, key: string, n: number): Promise<string> {
    return here.track(this.self, key, { n }, topic);
  }
  change(topic: string, key: string, n: number): Promise<string> {
    return here.update(this.self, key, { n }, topic);
  }
  exit(topic: string, key: string): Promise<void> {
    return here.untrack(this.self, key, topic);
  }
  crash(): void {
    throw new Error("a guest crashes");
  }
}

type Listed = {
  readonly [key: string]: { readonly metas: readonly { readonly phx_ref: string }[] };
};

/** What the stock client makes of the states and diffs of one topic. */
export class StockList implements Announces {
  readonly topic: string;
  state: Listed | undefined = undefined;
  /** How often a key came and went for it. */
  joins = 0;
  leaves = 0;

  constructor(topic: string) {
    this.topic = topic;
  }

  "~clients"(_system: unknown, topic: string): number {
    return topic === this.topic ? 1 : 0;
  }

  "~announce"(_system: unknown, topic: string, event: string, payload: object): void {
    if (topic === this.topic) this.told(event, JSON.parse(JSON.stringify(payload)) as object);
  }

  told(event: string, payload: object): void {
    const onJoin = (): void => void this.joins++;
    const onLeave = (): void => void this.leaves++;
    if (event === "presence_state")
      this.state = StockPresence.syncState(this.state ?? {}, payload, onJoin, onLeave) as Listed;
    else if (event === "presence_diff" && this.state !== undefined)
      this.state = StockPresence.syncDiff(this.state, payload as never, onJoin, onLeave) as Listed;
  }

  get refs(): string[] {
    return Object.getOwnPropertyNames(this.state ?? {})
      .flatMap((key) => this.state![key]!.metas.map(({ phx_ref: ref }) => `${key} ${ref}`))
      .toSorted();
  }
}

/** A node. */
export class Node {
  readonly system: System;
  readonly client: StockList;
  readonly guests: Map<string, Running<Guest>> = new Map();
  /** What its guests have tracked: by guest, topic and key the ref. */
  readonly held: Map<string, Map<string, string>> = new Map();
  #stop: (() => Promise<unknown>) | undefined = undefined;

  constructor(topic: string, system?: System) {
    const { runtime, queue } = currentSystem();
    this.system = system ?? new System(runtime, queue);
    this.client = new StockList(topic);
  }

  /** Runs a function as a program of this node would. */
  run<T>(body: () => T): T {
    const outer = thread.running;
    thread.running = { system: this.system, scopeSignal: new LazySignal().signal };
    try {
      return body();
    } finally {
      thread.running = outer;
    }
  }

  get here(): Presence<Meta> {
    return this.system.of(here);
  }

  /** Starts the tracker, and a client who joins at once. */
  async start(options: PresenceOptions<Meta, {}>): Promise<void> {
    const tracker = here.child({ ...options, to: this.client });
    const app = await this.run(() =>
      startSupervisor({ strategy: "one_for_one", maxRestarts: 1_000, children: { tracker } }),
    );
    this.#stop = () => app.stop("shutdown");
    await this.#join();
  }

  /** Its tracker crashes, and takes with it who has tracked; there is another at once, where the client joins again. */
  async crash(): Promise<void> {
    const { names } = this.system.get(processes);
    const tracker = (): Cell | undefined => names.get("presence:here");
    const before = tracker()!;
    before.kill({ crash: new Error("a tracker crashes") });
    const tied = [...this.guests].filter(([name]) => this.held.get(name)!.size > 0);
    for (const [name, guest] of tied) {
      await guest.exited;
      this.guests.delete(name);
      this.held.delete(name);
    }
    while (tracker() === before || tracker() === undefined) await sleep(1);
    this.client.state = undefined;
    await this.#join();
  }

  async #join(): Promise<void> {
    const watcher = await this.run(() => start(Watcher, { args: [this.client] }));
    await watcher.call.join();
  }

  guest(name: string): Promise<Running<Guest>> {
    return this.run(() => start(Guest)).then((guest) => {
      this.guests.set(name, guest);
      this.held.set(name, new Map());
      return guest;
    });
  }

  /** As a clean stop of the program does it: clients first, then the tracker. */
  async stop(): Promise<void> {
    for (const guest of this.guests.values()) await guest.stop("shutdown");
    await this.#stop?.();
    this.kill();
  }

  /** As kill -9 does it. */
  kill(): void {
    for (const cell of [...this.system.get(processes)]) cell.kill("killed");
    this.guests.clear();
    this.held.clear();
  }

  /** All that is tracked on it, by topic and key. */
  get tracked(): string[] {
    return [...this.held.values()].flatMap((held) => [...held].map(([at, ref]) => `${at} ${ref}`));
  }

  /** All that it sees of these topics. */
  async sees(topics: readonly string[]): Promise<string[]> {
    const seen: string[] = [];
    for (const topic of topics)
      for (const [key, { metas }] of await this.here.list(topic))
        for (const { phx_ref: ref } of metas) seen.push(`${topic} ${key} ${ref}`);
    return seen.toSorted();
  }
}

/** The channel of the client. */
class Watcher extends Process {
  readonly #client: StockList;
  constructor(client: StockList) {
    super();
    this.#client = client;
  }
  join(): Promise<void> {
    const { topic } = this.#client;
    const push = (event: string, payload: object): void =>
      this.#client.told(event, JSON.parse(JSON.stringify(payload)) as object);
    const { cell } = this.self as unknown as { readonly cell: ReturnType<typeof cellOf> };
    return here.pushState({ cell, topic, push } as never);
  }
}
