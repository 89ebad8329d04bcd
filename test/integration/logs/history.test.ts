// Two nodes, one log on a real server: what is published on either comes to the clients of both, once and in one order.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { execPath } from "node:process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Channel, Socket } from "phoenix";
import { resumable } from "sluice/client";
import { expect, it } from "vitest";
import { describeOn } from "../../support/servers/on-server.ts";
import { score } from "../../scoreboard.ts";
import { push, until } from "../support/clients.ts";
import type { HistoryNodeOptions } from "./history-node-process.ts";

const program = fileURLToPath(new URL("history-node-process.ts", import.meta.url));

/** A node in a process of its own, which can be killed and started again where it was. */
class Node implements AsyncDisposable {
  readonly #options: Omit<HistoryNodeOptions, "port">;
  #end: (() => Promise<void>) | undefined = undefined;
  url = "";

  constructor(options: Omit<HistoryNodeOptions, "port">) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const port = this.url === "" ? 0 : Number(new URL(this.url).port);
    const args = [
      "--conditions=sluice-source",
      program,
      JSON.stringify({ ...this.#options, port }),
    ];
    const child = spawn(execPath, args, { stdio: ["ignore", "pipe", "ignore"] });
    const exited = once(child, "close");
    this.#end = async () => {
      child.kill("SIGKILL");
      await exited;
    };
    const [url] = (await Promise.race([
      once(createInterface(child.stdout), "line"),
      exited,
    ])) as unknown[];
    if (typeof url !== "string") throw new Error(`the node ended with ${String(url)}`);
    this.url = url;
  }

  async kill(): Promise<void> {
    await this.#end?.();
    this.#end = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

/** A stock client that resumes: what it was told, and how often that something is missing. */
class Client implements Disposable {
  readonly texts: string[] = [];
  lost = 0;
  isJoined = false;
  readonly channel: Channel;
  readonly #socket: Socket;

  constructor({ url }: Node, topic: string) {
    this.#socket = new Socket(`${url.replace("http", "ws")}/socket`, {
      timeout: 5_000,
      reconnectAfterMs: () => 50,
      rejoinAfterMs: () => 50,
    });
    this.channel = this.#socket.channel(topic, {});
    resumable(this.channel, { lost: () => this.lost++ });
    this.channel.on("said", ({ text }: { readonly text: string }) => void this.texts.push(text));
    this.channel.join().receive("ok", () => (this.isJoined = true));
    this.#socket.connect();
  }

  [Symbol.dispose](): void {
    this.#socket.disconnect();
  }
}

/** Says one thing after the other until it is told to end: what was acknowledged, and how much was not. */
class Speaker {
  readonly acked: string[] = [];
  failures = 0;
  #on = true;
  readonly #done: Promise<void>;

  constructor(client: Client, name: string) {
    this.#done = this.#run(client, name);
  }

  async end(): Promise<void> {
    this.#on = false;
    await this.#done;
  }

  async #run({ channel }: Client, name: string): Promise<void> {
    let n = 0;
    while (this.#on) {
      const text = `${name}:${++n}`;
      // While it is not joined, the client would keep it for later.
      const [status] = channel.state === "joined" ? await push(channel, "say", { text }) : ["away"];
      if (status === "ok") this.acked.push(text);
      else this.failures++;
      await sleep(10);
    }
  }
}

const durable = {
  nats: [],
  redis: ["--appendfsync", "always"],
  postgres: ["-c", "fsync=on"],
} as const;

for (const kind of ["nats", "redis", "postgres"] as const)
  describeOn(
    kind,
    `history of two nodes in a log on ${kind}`,
    (server) => {
      it("comes to all clients once and in one order, through kills of the server and of a node", async () => {
        const nodes = [0, 1].map(() => new Node({ kind, url: server().url }));
        await using _first = nodes[0]!;
        await using _second = nodes[1]!;
        await Promise.all(nodes.map((node) => node.start()));
        const clients = nodes.flatMap((node) =>
          Array.from({ length: 5 }, () => new Client(node, "room:x")),
        );
        const speaking = nodes.map((node) => new Client(node, "room:x"));
        using _sockets = new DisposableStack();
        for (const client of [...clients, ...speaking]) _sockets.use(client);
        await until(() => [...clients, ...speaking].every(({ isJoined }) => isJoined), 10_000);
        const speakers = speaking.map((client, n) => new Speaker(client, `node ${n}`));
        const speak = async (more: number): Promise<void> => {
          const before = speakers.map(({ acked }) => acked.length);
          await until(
            () => speakers.every(({ acked }, n) => acked.length >= before[n]! + more),
            20_000,
          );
        };

        await speak(20);
        await server().kill();
        await sleep(300);
        await server().start();
        await speak(20);
        await nodes[0]!.kill();
        await sleep(300);
        await nodes[0]!.start();
        await speak(20);
        await server().restart();
        await speak(20);
        await Promise.all(speakers.map((speaker) => speaker.end()));

        const acked = speakers.flatMap((speaker) => speaker.acked);
        const late = new Client(nodes[1]!, "room:x");
        _sockets.use(late);
        await until(
          () => late.isJoined && acked.every((text) => late.texts.includes(text)),
          20_000,
        );
        const all = [...clients, ...speaking];
        await until(() => all.every(({ texts }) => texts.length >= late.texts.length), 20_000);
        for (const { texts, lost } of all) {
          expect(texts).toEqual(late.texts);
          expect(lost).toBe(0);
        }
        expect(new Set(late.texts).size).toBe(late.texts.length);
        const failures = speakers.reduce((sum, speaker) => sum + speaker.failures, 0);
        const said = `${acked.length} acknowledged on 2 nodes, ${failures} refused`;
        const figure = `${said}; ${all.length} clients: lost 0, doubled 0, reordered 0`;
        score("R52", `history in a log on ${kind}, through kills of it and of a node`, figure);
      }, 120_000);
    },
    { args: durable[kind] },
  );
