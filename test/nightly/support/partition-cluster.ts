// Three nodes on machines of their own behind a real broker, a stock client of each, and what they come to.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execPath } from "node:process";
import type { Broker } from "../../cluster/brokers.ts";
import { until } from "../../cluster/node-process.ts";
import { startServer, type Server } from "../../support/servers/server.ts";
import { Machine, type Line } from "./network.ts";
import type {
  FromPartitionNode,
  PartitionNodeOptions,
  ToPartitionNode,
} from "./partition-protocol.ts";

type Told<K extends FromPartitionNode["kind"]> = Extract<FromPartitionNode, { readonly kind: K }>;

const program = join(import.meta.dirname, "partition-node.ts");

/** A node, its machine, and its lines. */
export class PartitionNode implements AsyncDisposable {
  readonly name: string;
  /** To its clients, and to the broker. */
  readonly front: Line;
  readonly back: Line;
  url = "";
  /** The number of its last message, when it was calm. */
  said = 0;
  /** Those of its messages that may not be in the log. */
  failed: ReadonlySet<number> = new Set();
  readonly #machine: Machine;
  readonly #told: FromPartitionNode[] = [];
  readonly #child: ChildProcess;

  private constructor(name: string, machine: Machine, options: PartitionNodeOptions) {
    this.name = name;
    this.#machine = machine;
    [this.front, this.back] = machine.lines;
    const [command, ...args] = machine.enter(
      execPath,
      "--conditions=sluice-source",
      program,
      JSON.stringify(options),
    );
    this.#child = spawn(command, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    this.#child.on("message", (message: FromPartitionNode) => this.#told.push(message));
  }

  static async start(nth: number, broker: Broker, server: Server): Promise<PartitionNode> {
    const machine = await Machine.plugIn(nth);
    const [front, back] = machine.lines;
    const name = `node-${nth}`;
    const url = server.url.replace("127.0.0.1", back.ours);
    const node = new PartitionNode(name, machine, { broker, url, node: name, host: front.theirs });
    const ended = (): boolean => node.#child.exitCode !== null;
    await until("a node", () => node.of("ready").length > 0 || ended(), 60_000);
    if (ended()) throw new Error(`${name} ended with ${node.#child.exitCode}`);
    node.url = node.of("ready")[0]!.url;
    return node;
  }

  /** What it has told of one kind. */
  of<K extends FromPartitionNode["kind"]>(kind: K): readonly Told<K>[] {
    return this.#told.filter((message): message is Told<K> => message.kind === kind);
  }

  /** What it has told counts no more. */
  forget(): void {
    this.#told.length = 0;
  }

  flood(): void {
    this.#do({ kind: "flood" });
  }

  /** It says no more; resolves when it knows what of that is in the log. */
  async calm(): Promise<void> {
    const before = this.of("calm").length;
    this.#do({ kind: "calm" });
    await until("what was published", () => this.of("calm").length > before, 60_000);
    const { said, failed } = this.of("calm").at(-1)!;
    this.said = said;
    this.failed = new Set(failed);
  }

  /** The last message that is in the log. */
  get lastKept(): number {
    let last = this.said;
    while (this.failed.has(last)) last--;
    return last;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill("SIGKILL");
      await once(this.#child, "exit");
    }
    this.#machine[Symbol.dispose]();
  }

  #do(message: ToPartitionNode): void {
    this.#child.send(message);
  }
}

/** Starts a broker that listens on all lines. */
export async function startBroker(broker: Broker): Promise<Server & AsyncDisposable> {
  switch (broker) {
    case "nats":
      return startServer("nats", { args: ["-a", "0.0.0.0"] });
    case "redis":
      return startServer("redis", { args: "--bind 0.0.0.0 --protected-mode no".split(" ") });
    case "postgres": {
      // It reads this at its start, as whom it runs; a line of it stands for whoever can reach it here.
      const folder = mkdtempSync(join(tmpdir(), "sluice-access-"));
      const file = join(folder, "access");
      writeFileSync(file, "host all all all trust\n");
      chmodSync(folder, 0o755);
      const args = ["-c", "listen_addresses=*", "-c", `hba_file=${file}`];
      try {
        return await startServer("postgres", { args });
      } finally {
        rmSync(folder, { recursive: true });
      }
    }
    default:
      return broker satisfies never;
  }
}
