import { execFileSync, spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { env, execPath } from "node:process";
import { fileURLToPath } from "node:url";
import { Watched } from "./watched.ts";

/** The repository. */
export const root: string = fileURLToPath(new URL("../../..", import.meta.url));

/** How a `sluice` is started. */
export interface SluiceOptions {
  /** Its standard input: none by default, which ends at once. */
  readonly stdin?: number | "pipe";
  readonly env?: Readonly<Record<string, string>>;
}

/** A `sluice` in a process of its own; its state is what it has said. */
export class SluiceProcess extends Watched<string> {
  /** Where it serves; resolves when it says so. */
  async url(): Promise<string> {
    const said = await this.says(/ at (http:\S+)\n/);
    return said[1]!;
  }

  /** Resolves when what it has said matches. */
  async says(pattern: RegExp, withinMs?: number): Promise<RegExpExecArray> {
    const said = await this.until(String(pattern), (said) => pattern.test(said), withinMs);
    return pattern.exec(said)!;
  }

  /** A figure of the summary that it has ended with. */
  async figure(name: string, unset?: number): Promise<number> {
    await this.exited;
    const [, value] = new RegExp(`^${name} +([\\d,]+)`, "m").exec(this.state ?? "") ?? [];
    if (value === undefined && unset !== undefined) return unset;
    if (value === undefined) throw new Error(`no ${name} in: ${this.state}`);
    return Number(value.replaceAll(",", ""));
  }

  signal(signal: "SIGINT" | "SIGTERM"): void {
    this.child.kill(signal);
  }
}

/** Runs `sluice` with these arguments; `--port 0` is for the caller to say. */
export function startSluice(args: readonly string[], options: SluiceOptions = {}): SluiceProcess {
  const child = spawn(execPath, ["bin/sluice.js", ...args], {
    cwd: root,
    env: { ...env, ...options.env },
    stdio: [options.stdin ?? "ignore", "pipe", "pipe"],
  });
  return watch(child);
}

/** Hears what a process says that ends up as a `sluice`. */
export function watch(child: ReturnType<typeof spawn>): SluiceProcess {
  const sluice = new SluiceProcess("sluice", child);
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (text: string) => sluice.saw((said += text)));
  return sluice;
}

/** A folder that goes with whoever made it. */
export function scratch(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "sluice-test-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** Both ends of a pipe such as a shell makes: a writer blocks in it. */
export interface Pipe extends Disposable {
  readonly read: number;
  readonly write: number;
  /** Both ends belong to child processes by now. */
  hand(): void;
}

/** Makes a pipe. */
export function makePipe(): Pipe {
  using folder = scratch();
  const path = join(folder.path, "pipe");
  execFileSync("mkfifo", [path]);
  // Either end would wait for the other to be opened.
  const both = openSync(path, "r+");
  const [read, write] = [openSync(path, "r"), openSync(path, "w")];
  closeSync(both);
  let open = true;
  const hand = (): void => {
    if (!open) return;
    open = false;
    closeSync(read);
    closeSync(write);
  };
  return { read, write, hand, [Symbol.dispose]: hand };
}
