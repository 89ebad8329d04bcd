import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { family, freeze, lives, signal } from "./family.ts";
import { program, type Program } from "./files.ts";
import { type Kind, kinds } from "./kinds.ts";

/** What can be set of a server. */
export interface ServerOptions {
  /** Further arguments of its command line, behind the others. */
  readonly args?: readonly string[];
}

/** A real server of this machine, on a loopback port, in a scratch folder of its own. */
export class Server implements AsyncDisposable {
  readonly name: Kind["name"];
  /** Where clients connect. */
  readonly url: string;
  readonly port: number;
  readonly version: string;
  readonly #kind: Kind;
  readonly #program: Program;
  readonly #folder: string;
  readonly #args: readonly string[];
  #process: ChildProcess | undefined = undefined;
  #output = "";

  /** For {@link startServer}. */
  constructor(kind: Kind, found: Program, port: number, folder: string, args: readonly string[]) {
    this.name = kind.name;
    this.url = kind.url(port);
    this.port = port;
    this.version = found.version;
    this.#kind = kind;
    this.#program = found;
    this.#folder = folder;
    this.#args = args;
  }

  /** Of the process that runs. */
  get pid(): number {
    const { pid } = this.#running();
    return pid!;
  }

  /** What it said of late. */
  get output(): string {
    return this.#output;
  }

  /** Starts it again after `kill`, or after it ended: on the same port, with the same data. */
  async start(): Promise<void> {
    if (this.#process !== undefined) throw new Error(`${this.name} runs already`);
    const { path, env } = this.#program;
    const { argv0 = path, args, user } = this.#kind;
    const child = spawn(path, [...args(this.port, this.#folder), ...this.#args], {
      argv0,
      env,
      cwd: "/",
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      ...user?.(),
    });
    const hear = (text: unknown): void => {
      this.#output = (this.#output + String(text)).slice(-10_000);
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.on("error", hear);
    this.#process = child;
    const watcher = watch(child.pid);
    child.on("exit", () => {
      watcher?.kill("SIGKILL");
      if (this.#process === child) this.#process = undefined;
    });
    const deadline = performance.now() + 20_000;
    while (!(await this.#ready())) {
      const ended = this.#process !== child;
      if (!ended && performance.now() < deadline) await sleep(10);
      else throw new Error(`${path} ${ended ? "ended" : "is not ready"}:\n${this.#output}`);
    }
  }

  /** Ends it without a chance to write anything; resolves when it and its children are gone. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Asks it to end, and starts it again: on the same port, with the same data. */
  async restart(): Promise<void> {
    if (this.#process !== undefined) await this.#end("SIGINT");
    await this.start();
  }

  /** Stops the clock for it: its connections stay, and nobody answers. */
  pause(): void {
    // Once it stands still it has no more children.
    freeze([this.pid]);
    freeze(family(this.pid));
  }

  resume(): void {
    signal(family(this.pid), "SIGCONT");
  }

  /** Ends it and removes its data. */
  async stop(): Promise<void> {
    if (this.#process !== undefined) await this.#end("SIGKILL");
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #end(name: "SIGKILL" | "SIGINT"): Promise<void> {
    const child = this.#running();
    const all = family(this.pid);
    const exit = once(child, "exit");
    signal(name === "SIGKILL" ? all : [this.pid], name);
    await exit;
    const deadline = performance.now() + 10_000;
    while (all.some(lives)) {
      if (performance.now() > deadline) throw new Error(`${this.name} left ${String(all)} behind`);
      await sleep(5);
    }
  }

  #running(): ChildProcess {
    if (this.#process?.pid !== undefined) return this.#process;
    throw new Error(`${this.name} does not run:\n${this.#output}`);
  }

  /** Whether it answers a client. */
  async #ready(): Promise<boolean> {
    const socket = connect(this.port, "127.0.0.1");
    try {
      socket.setTimeout(1_000, () => socket.destroy());
      socket.write(this.#kind.hello);
      const [answer] = (await Promise.race([
        once(socket, "data"),
        once(socket, "close"),
      ])) as unknown[];
      return this.#kind.ready.test(String(answer));
    } catch {
      return false;
    } finally {
      socket.on("error", () => {});
      socket.destroy();
    }
  }
}

/** Starts a server: found on the machine, else downloaded; else it rejects, and says how to install it. */
export async function startServer(
  name: Kind["name"],
  { args = [] }: ServerOptions = {},
): Promise<Server> {
  const kind = kinds[name];
  const found = await program(kind);
  for (let attempt = 1; ; attempt++) {
    const folder = mkdtempSync(join(tmpdir(), `sluice-${name}-`));
    const server = new Server(kind, found, await freePort(), folder, args);
    try {
      await kind.prepare?.(found, folder);
      await server.start();
      console.info(`${name} ${server.version}, pid ${server.pid}, ${server.url}`);
      return server;
    } catch (error) {
      await server.stop();
      // Another may have taken the port in between.
      if (attempt === 3 || !/in use/i.test(server.output)) throw error;
    }
  }
}

/** Kills the server when this process ends, in whatever way. */
function watch(pid: number | undefined): ChildProcess | undefined {
  if (pid === undefined) return undefined;
  const watcher = spawn("sh", ["-c", `read -r _; kill -KILL ${pid}`], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  watcher.unref();
  return watcher;
}

/** Not of the ports that the system gives to clients: one that tries to connect again could get it, and talk to itself. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!free) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}
