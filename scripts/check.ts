import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { delimiter, resolve } from "node:path";
import { env, execPath, exit } from "node:process";

const script = (name: string): string[] => [execPath, `scripts/${name}.ts`];

/** Every check, the longest first; each is a command that fails when something is wrong. */
const checks: Readonly<Record<string, readonly string[]>> = {
  package: script("check-package"),
  examples: script("check-examples"),
  types: ["tsc"],
  lint: ["oxlint"],
  docs: script("check-docs"),
  unused: ["knip"],
  imports: script("check-imports"),
  browser: script("check-browser"),
  format: ["oxfmt", "--check"],
  errors: script("check-errors"),
  files: script("check-files"),
};

const queue = Object.entries(checks);
let failed = 0;

function run(
  command: string,
  args: readonly string[],
): Promise<{ code: number | null; said: string }> {
  const path = [resolve("node_modules/.bin"), env["PATH"]].join(delimiter);
  const child = spawn(command, args, {
    env: { ...env, PATH: path },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
  return new Promise((done, fail) => {
    child.on("error", fail);
    child.on("close", (code) => done({ code, said }));
  });
}

async function work(): Promise<void> {
  for (let next = queue.shift(); next; next = queue.shift()) {
    const [name, [command = "", ...args]] = next;
    const start = performance.now();
    const { code, said } = await run(command, args);
    const seconds = ((performance.now() - start) / 1000).toFixed(1).padStart(5);
    console.log(`${code === 0 ? "ok  " : "FAIL"} ${name.padEnd(9)}${seconds} s`);
    if (code === 0) continue;
    failed += 1;
    console.log(said.trimEnd().replace(/^/gm, "     "));
  }
}

await Promise.all(Array.from({ length: availableParallelism() }, work));
exit(failed === 0 ? 0 : 1);
