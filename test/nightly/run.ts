// `npm run test:nightly [-- <part> …]`: all that takes too long for each change, one part after the other; fails when one fails.
import { spawn } from "node:child_process";
import { execPath } from "node:process";

/** Arguments of Node, by the name of a part. A part fails by its exit code, and ends its output with its figure. */
export type Parts = Readonly<Record<string, readonly string[]>>;

const onSources = "--conditions=sluice-source";
const parts: Parts = {
  examples: ["test/examples/all-seeds.ts"],
  "presence seeds": ["test/presence/all-seeds.ts"],
  mutants: ["test/mutants/run.ts"],
  fuzz: ["test/fuzz/run.ts", "1000000"],
  resume: [onSources, "test/nightly/resume.ts"],
  explosion: [onSources, "test/nightly/explosion.ts"],
  rolling: [onSources, "test/nightly/rolling.ts"],
  "slow clients": [onSources, "test/nightly/slow-clients.ts"],
  floods: [onSources, "test/nightly/floods.ts"],
  storm: [onSources, "test/nightly/storm.ts"],
  partitions: [onSources, "test/nightly/partitions.ts"],
};

/** None of them takes half as long, also where others work. */
const mostMs = 45 * 60_000;
const figureLength = 100;

/** How a part went. */
export interface Outcome {
  readonly result: "ok" | "FAILED" | "LEFT OUT";
  readonly seconds: number;
  /** The last line that it said. */
  readonly figure: string;
}

/** Runs all, each to its end, whatever became of those before it. */
export async function runParts(
  parts: Parts,
  say: (text: string) => void,
): Promise<Readonly<Record<string, Outcome>>> {
  const outcomes: Record<string, Outcome> = {};
  for (const [name, args] of Object.entries(parts)) {
    say(`\n${name}: node ${args.join(" ")}\n`);
    outcomes[name] = await runPart(args, say);
  }
  return outcomes;
}

async function runPart(args: readonly string[], say: (text: string) => void): Promise<Outcome> {
  const began = performance.now();
  const child = spawn(execPath, args, { stdio: ["ignore", "pipe", "pipe"], timeout: mostMs });
  let [out, all] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
    all += text;
    say(text);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    all += text;
    say(text);
  });
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  const isLeftOut = /^SLUICE_SKIP_\w+=1: NOT TESTED/m.test(all);
  return {
    result: code !== 0 ? "FAILED" : isLeftOut ? "LEFT OUT" : "ok",
    seconds: Math.round((performance.now() - began) / 1_000),
    figure: out.trim().split("\n").at(-1)!.slice(0, figureLength),
  };
}

if (import.meta.main) {
  const wanted = process.argv.slice(2);
  const unknown = wanted.filter((name) => parts[name] === undefined);
  if (unknown.length > 0)
    throw new Error(
      `no such part: ${unknown.join(", ")}; there are ${Object.keys(parts).join(", ")}`,
    );
  const chosen =
    wanted.length === 0 ? parts : Object.fromEntries(wanted.map((name) => [name, parts[name]!]));
  const outcomes = await runParts(chosen, (text) => process.stdout.write(text));
  console.info();
  console.table(outcomes);
  if (Object.values(outcomes).some(({ result }) => result === "FAILED")) process.exitCode = 1;
}
