import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { execPath } from "node:process";
import type { Limits } from "sluice/channels";
import { until } from "../../cluster/node-process.ts";
import type { FromCrowdedServer, ServerFigures, ToCrowdedServer } from "./crowded-protocol.ts";

const program = join(import.meta.dirname, "crowded-server.ts");

/** How it is started. */
export interface CrowdedOptions {
  readonly port?: number;
  readonly limits?: Partial<Limits>;
  /** Files that it may have open; default as many as we. */
  readonly files?: number;
}

/** A server in a process of its own. */
export class CrowdedProcess implements AsyncDisposable {
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  static async start({ port = 0, limits = {}, files }: CrowdedOptions): Promise<CrowdedProcess> {
    const args = ["--conditions=sluice-source", program, String(port), JSON.stringify(limits)];
    const bound = `ulimit -n ${files ?? "$(ulimit -n)"} && exec "$0" "$@"`;
    const child = spawn("sh", ["-c", bound, execPath, ...args], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    const told = await answer(child, "ready");
    return new CrowdedProcess(child, told.url);
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  async look(): Promise<ServerFigures> {
    const told = answer(this.#child, "figures");
    this.tell({ kind: "look" });
    return told;
  }

  /** Takes what files there are left; resolves with how many. */
  async hoard(): Promise<number> {
    const told = answer(this.#child, "hoarded");
    this.tell({ kind: "hoard" });
    return (await told).files;
  }

  tell(message: ToCrowdedServer): void {
    this.#child.send(message);
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

type Told<K extends FromCrowdedServer["kind"]> = Extract<FromCrowdedServer, { readonly kind: K }>;

async function answer<K extends FromCrowdedServer["kind"]>(
  child: ChildProcess,
  kind: K,
): Promise<Told<K>> {
  let told: Told<K> | undefined;
  const hear = (message: FromCrowdedServer): void => {
    if (message.kind === kind) told = message as Told<K>;
  };
  child.on("message", hear);
  try {
    await until(kind, () => told !== undefined || child.exitCode !== null, 60_000);
  } finally {
    child.off("message", hear);
  }
  if (told === undefined) throw new Error(`the server ended with ${child.exitCode}`);
  return told;
}
