import { spawn } from "node:child_process";
import { execPath } from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Watched } from "./watched.ts";

/** A program that writes lines into a pipe; its state is how many bytes were taken. */
export class Writer extends Watched<number> {
  /** Resolves with the bytes when it has written some and then none for so long. */
  async stands(ms: number): Promise<number> {
    let taken = await this.until("a write", () => true);
    for (;;) {
      const before = taken;
      // From each write on: a look now and then would miss a silence that is shorter than two of them.
      taken = await this.until("more", (bytes) => bytes > before, ms).catch(() => before);
      if (taken === before) return taken;
    }
  }
}

const program = fileURLToPath(new URL("writer-process.ts", import.meta.url));

/** Starts a writer of numbered lines into the write end of a pipe. */
export function startWriter(lines: number, lineBytes: number, into: number): Writer {
  const child = spawn(execPath, [program, String(lines), String(lineBytes)], {
    stdio: ["ignore", into, "pipe"],
  });
  const writer = new Writer("a writer", child);
  createInterface(child.stderr!).on("line", (line) => writer.saw(Number(line)));
  return writer;
}
