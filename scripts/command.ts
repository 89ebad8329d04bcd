import { spawn } from "node:child_process";
import { delimiter, resolve } from "node:path";
import { env } from "node:process";

/** How a command ended, and all that it said. */
export interface Ended {
  /** The exit code; null if it was killed. */
  readonly code: number | null;
  /** Standard output and error, as they came. */
  readonly said: string;
}

/** Runs a command, found first among those that the repository installs, and waits for its end. */
export function run(
  command: string,
  args: readonly string[],
  options: {
    readonly cwd?: string;
    readonly timeoutMs?: number;
    readonly env?: Readonly<Record<string, string>>;
  } = {},
): Promise<Ended> {
  const path = [resolve(import.meta.dirname, "../node_modules/.bin"), env["PATH"]].join(delimiter);
  const child = spawn(command, args, {
    cwd: options.cwd,
    timeout: options.timeoutMs,
    env: { ...env, ...options.env, PATH: path },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (chunk: string) => (said += chunk));
  return new Promise((done, fail) => {
    child.on("error", fail);
    child.on("close", (code) => done({ code, said }));
  });
}
