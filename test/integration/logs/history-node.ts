import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { execPath } from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { HistoryNodeOptions } from "./history-node-process.ts";

const program = fileURLToPath(new URL("history-node-process.ts", import.meta.url));

/** A node in a process of its own, which can be ended and started again where it was. */
export class HistoryNode implements AsyncDisposable {
  url = "";
  readonly #options: Omit<HistoryNodeOptions, "port">;
  #child: ChildProcess | undefined = undefined;
  #exited: Promise<unknown> = Promise.resolve();

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
    this.#child = child;
    this.#exited = once(child, "close");
    const [url] = (await Promise.race([
      once(createInterface(child.stdout), "line"),
      this.#exited,
    ])) as unknown[];
    if (typeof url !== "string") throw new Error(`the node ended with ${String(url)}`);
    this.url = url;
  }

  /** Tells it to end, and waits until it has. */
  stop(): Promise<void> {
    return this.#end("SIGTERM");
  }

  kill(): Promise<void> {
    return this.#end("SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    this.#child?.kill(signal);
    await this.#exited;
  }
}
