import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Broker } from "./brokers.ts";
import type { FromNode, ToNode } from "./protocol.ts";

type Told<K extends FromNode["kind"]> = Extract<FromNode, { readonly kind: K }>;

/** Four programs start together, on a machine that may have other things to do. */
const startsWithinMs = 100_000;

/** Waits until something holds; tells what did not. */
export async function until(what: string, holds: () => boolean, withinMs = 15_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`never came, in ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A node as a program of its own. */
export class NodeProcess implements AsyncDisposable {
  readonly told: FromNode[] = [];
  readonly #child: ChildProcess;
  #errors = "";
  #url = "";

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on("message", (message: FromNode) => this.told.push(message));
    child.stderr!.on("data", (text: Buffer) => (this.#errors += String(text)));
  }

  /** Starts one that serves clients, or one that only speaks; resolves when it is joined. */
  static async start(
    broker: Broker,
    url: string,
    prefix: string,
    role: "serves" | "speaks",
  ): Promise<NodeProcess> {
    const child = fork(join(import.meta.dirname, "node.ts"), [broker, url, prefix, role], {
      execArgv: ["--conditions=sluice-source"],
      stdio: ["ignore", "inherit", "pipe", "ipc"],
    });
    const node = new NodeProcess(child);
    await until(
      "a node",
      () => node.of("ready").length > 0 || child.exitCode !== null,
      startsWithinMs,
    );
    if (child.exitCode !== null) throw new Error(`the node ended:\n${node.#errors}`);
    node.#url = node.of("ready")[0]!.url;
    return node;
  }

  /** Where its clients connect. */
  get url(): string {
    return this.#url;
  }

  /** What it has told counts no more. */
  forget(): void {
    this.told.length = 0;
  }

  /** What it has told of one kind. */
  of<K extends FromNode["kind"]>(kind: K): readonly Told<K>[] {
    return this.told.filter((message): message is Told<K> => message.kind === kind);
  }

  do(message: ToNode): void {
    this.#child.send(message);
  }

  /** The figures of its pubsub child, now. */
  async figures(): Promise<Readonly<Record<string, number>>> {
    const before = this.of("figures").length;
    this.do({ kind: "figures" });
    await until("figures", () => this.of("figures").length > before);
    return this.of("figures").at(-1)!.figures;
  }

  /** Without a chance to say anything. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill("SIGKILL");
    await once(this.#child, "exit");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
