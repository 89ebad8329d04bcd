import { availableParallelism } from "node:os";
import { execPath } from "node:process";
import { run } from "./command.ts";

/** A check's name, and the command that fails when something is wrong. */
type Checks = Readonly<Record<string, readonly [command: string, ...args: string[]]>>;

/** Every check of the repository, the longest first. */
const checks: Checks = {
  package: [execPath, "scripts/check-package.ts"],
  examples: [execPath, "scripts/check-examples.ts"],
  types: ["tsc"],
  lint: ["oxlint"],
  docs: [execPath, "scripts/check-docs.ts"],
  unused: ["knip"],
  imports: [execPath, "scripts/check-imports.ts"],
  rules: [execPath, "scripts/rules.ts", "--strict"],
  browser: [execPath, "scripts/check-browser.ts"],
  format: ["oxfmt", "--check"],
  errors: [execPath, "scripts/check-errors.ts"],
  files: [execPath, "scripts/check-files.ts"],
};

/** Runs as many checks at once as there are cores; one line for each, and what a failed one said below it. */
export async function runChecks(
  checks: Checks,
  print: (line: string) => void = console.log,
): Promise<{ readonly failed: readonly string[] }> {
  const queue = Object.entries(checks);
  const failed: string[] = [];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const [name, [command, ...args]] = next;
      const start = performance.now();
      const { code, said } = await run(command, args);
      const seconds = ((performance.now() - start) / 1000).toFixed(1).padStart(5);
      print(`${code === 0 ? "ok  " : "FAIL"} ${name.padEnd(9)}${seconds} s`);
      if (code === 0) continue;
      failed.push(name);
      print(said.trimEnd().replace(/^/gm, "     "));
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return { failed };
}

if (import.meta.main) {
  const { failed } = await runChecks(checks);
  if (failed.length > 0) {
    console.error(`\nfailed: ${failed.join(", ")}`);
    process.exitCode = 1;
  }
}
