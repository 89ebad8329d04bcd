import { spawn } from "node:child_process";
import { execPath } from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Watched } from "./watched.ts";

/** What a slow client has seen so far. */
export interface SlowReport {
  readonly joined: boolean;
  readonly count: number;
  /** With what its connection was closed. */
  readonly code: number | undefined;
  readonly ended: boolean;
}

/** A client in a process of its own that reads a hundred messages a second. */
export class SlowClient extends Watched<SlowReport> {
  /** From now on it reads as fast as it can. */
  hurry(): void {
    this.child.stdin?.write("hurry\n");
  }
}

const program = fileURLToPath(new URL("slow-client-process.ts", import.meta.url));

/** Starts a client that joins by itself and does not keep up. */
export function startSlowClient(url: string, topic: string): SlowClient {
  const child = spawn(execPath, [program, new URL(url).port, topic], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const client = new SlowClient("a slow client", child);
  createInterface(child.stdout).on("line", (line) => client.saw(JSON.parse(line) as SlowReport));
  return client;
}
