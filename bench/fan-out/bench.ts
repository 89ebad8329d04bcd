// A server and its clients, each a process on a core of its own.
import { fork, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import type { Profiler } from "node:inspector";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Accounts } from "./accounts.ts";
import type { Peer } from "./dialects.ts";
import type { Order, Outcome } from "./load.ts";

const here = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** Installs what is measured beside Sluice, once. */
export function havePeers(): void {
  if (!existsSync(here("peers/node_modules/socket.io")))
    spawnSync("npm", ["install"], { cwd: here("peers"), stdio: "inherit" });
}

/** What was measured. */
export interface Measured {
  readonly units: number;
  readonly accounts: Accounts;
  /** Of the main thread, where that was asked for. */
  readonly profile: Profiler.Profile | undefined;
}

/** A server in a process of its own, on one core, and the clients on the other. */
export class Bench implements Disposable {
  readonly #children: ChildProcess[] = [];
  readonly #peer: Peer;
  readonly #server: ChildProcess;
  readonly #load: ChildProcess;
  readonly #isProfiled: boolean;
  #port = 0;
  /** What was measured first. */
  first: Measured | undefined = undefined;

  constructor(peer: Peer, isProfiled = false) {
    this.#peer = peer;
    this.#isProfiled = isProfiled;
    const file = {
      sluice: "fan-out/sluice-server.ts",
      "socket.io": "peers/socket-io-server.ts",
      ws: "peers/ws-server.ts",
      bare: "fan-out/bare-server.ts",
    }[peer];
    this.#server = this.#start(file, 0);
    this.#load = this.#start("fan-out/load.ts", 1);
  }

  [Symbol.dispose](): void {
    for (const child of this.#children) child.kill("SIGKILL");
  }

  /** Another load, for clients whose time must not depend on how much the others have to read. */
  aside(): ChildProcess {
    return this.#start("fan-out/load.ts", 1);
  }

  async up(clients: number): Promise<Accounts> {
    const [{ port }] = (await this.#answer(this.#server)) as [{ readonly port: number }];
    this.#port = port;
    await this.look();
    await this.join(clients);
    return this.look();
  }

  join(clients: number, load: ChildProcess = this.#load): Promise<Outcome> {
    return this.order({ kind: "join", peer: this.#peer, port: this.#port, clients }, load);
  }

  async order(order: Order, load: ChildProcess = this.#load): Promise<Outcome> {
    load.send(order);
    const [outcome] = (await this.#answer(load)) as [Outcome];
    return outcome;
  }

  /** What the server accounts for while `work` is done, which comes to so many units. */
  async measured(units: number, work: () => Promise<unknown>): Promise<Accounts> {
    if (this.#isProfiled) await this.#ask("profile");
    await this.look();
    await work();
    const accounts = await this.look();
    const profile = this.#isProfiled ? await this.#ask<Profiler.Profile>("profile") : undefined;
    this.first ??= { units, accounts, profile };
    return accounts;
  }

  /** The server's accounts since the last look. */
  look(question: "look" | "watch" = "look"): Promise<Accounts> {
    return this.#ask(question);
  }

  async #ask<T>(question: string): Promise<T> {
    this.#server.send(question);
    const [answer] = (await this.#answer(this.#server)) as [T];
    return answer;
  }

  async #answer(child: ChildProcess): Promise<unknown[]> {
    const end = new AbortController();
    try {
      return (await Promise.race([
        once(child, "message", { signal: end.signal }),
        ...this.#children.map((one) =>
          once(one, "exit", { signal: end.signal }).then((): never => {
            throw new Error("a process of the measurement died");
          }),
        ),
        wait(120_000, undefined, { signal: end.signal, ref: false }).then((): never => {
          throw new Error("no answer within 120 s");
        }),
      ])) as unknown[];
    } finally {
      end.abort();
    }
  }

  #start(file: string, core: number): ChildProcess {
    const child = fork(here(file), { execArgv: [] });
    this.#children.push(child);
    const { status } = spawnSync("taskset", ["-a", "-cp", String(core), String(child.pid)]);
    if (status !== 0)
      throw new Error("`taskset` is needed, to give server and clients a core each");
    return child;
  }
}
