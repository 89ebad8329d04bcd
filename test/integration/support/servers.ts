import { spawn } from "node:child_process";
import { once } from "node:events";
import { execPath } from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** What a server process is to do. */
export interface ServerOptions {
  /** Default: a free one. */
  readonly port?: number;
  /** Pages that may connect beside its own. */
  readonly checkOrigin?: readonly string[];
}

/** A server of rooms in a process of its own, with both transports, a page, and the stock client to import. */
export interface ServerProcess extends AsyncDisposable {
  readonly url: string;
  /** Ends it, and waits for that. */
  end(signal: NodeJS.Signals): Promise<void>;
}

const program = fileURLToPath(new URL("server-process.ts", import.meta.url));

/** Starts a server; resolves when it serves. */
export async function startServer(options: ServerOptions = {}): Promise<ServerProcess> {
  const args = ["--conditions=sluice-source", program, JSON.stringify(options)];
  const child = spawn(execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "close");
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    await exited;
  };
  const lines = createInterface(child.stdout);
  const [url] = (await Promise.race([once(lines, "line"), exited])) as [unknown];
  if (typeof url !== "string") throw new Error(`the server ended with ${String(url)}`);
  return { url, end, [Symbol.asyncDispose]: () => end("SIGKILL") };
}
