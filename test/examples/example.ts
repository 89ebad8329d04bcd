import { spawn } from "node:child_process";
import { vi } from "vitest";
import type { Simulation } from "sluice/testing";

/** A line that an example printed, and when, in ms since its start. */
export interface Printed {
  readonly atMs: number;
  readonly text: string;
}

let runs = 0;

/** Runs an example under virtual time: `during` is what happens to it, then it is told to end. Returns what it printed. */
export async function simulated(
  { load, interrupt }: Pick<Simulation, "load" | "interrupt">,
  file: string,
  during: () => Promise<void>,
): Promise<readonly Printed[]> {
  const printed: Printed[] = [];
  const info = vi.spyOn(console, "info").mockImplementation((text: unknown) => {
    printed.push({ atMs: performance.now(), text: String(text) });
  });
  const quiet = vi.spyOn(console, "warn").mockImplementation(() => {});
  try {
    // A module runs once: each run is another one.
    const url = `../../examples/${file}?run=${runs++}`;
    const program = load(() => import(url));
    await during();
    interrupt();
    await program;
  } finally {
    info.mockRestore();
    quiet.mockRestore();
  }
  return printed;
}

/** An example as a process of its own. */
export interface RunningExample extends AsyncDisposable {
  readonly lines: readonly string[];
  readonly stdin: NodeJS.WritableStream;
  /** Where it says that it serves. */
  url(): Promise<string>;
  /** Tells it to end; resolves with its exit code. */
  end(): Promise<number | null>;
  readonly exited: Promise<number | null>;
}

/** Starts an example for real, on a free port. */
export function started(file: string, variables: object = {}): RunningExample {
  const child = spawn(process.execPath, ["--conditions=sluice-source", `examples/${file}`], {
    stdio: ["pipe", "pipe", "ignore"],
    env: { ...process.env, PORT: "0", ...variables },
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  const exited = new Promise<number | null>((resolve) => child.once("close", resolve));
  const lines = (): readonly string[] => text.split("\n").slice(0, -1);
  return {
    get lines() {
      return lines();
    },
    stdin: child.stdin,
    exited,
    url: () =>
      vi.waitFor(() => {
        const serving = lines().find((line) => line.startsWith("serving "));
        if (serving === undefined) throw new Error(`not serving yet: ${text}`);
        return serving.slice("serving ".length);
      }, 10_000),
    end: () => {
      child.kill("SIGTERM");
      return exited;
    },
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
