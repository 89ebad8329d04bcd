import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { runInNewContext } from "node:vm";
import { rolldown } from "rolldown";
import { entryPoints, sourceCondition } from "./package.ts";
import { reportProblems } from "./problems.ts";

/** The entry points of the package that browsers load too. */
const entries = [".", "./pubsub"];

/** Of what browsers have, what the package may need as it is loaded. */
const globals =
  "AbortController AbortSignal MessageChannel TextEncoder clearTimeout console crypto performance queueMicrotask setTimeout structuredClone";

/** Bundles what is for browsers and loads it where there is nothing of Node; tells what no browser could follow. */
export async function checkBrowser(root: string): Promise<string[]> {
  const sources = entryPoints(root);
  const problems = entries.map(async (entry) => {
    const source = join(root, sources.get(entry) ?? "");
    const missing = "not an entry point of package.json, or its source is missing";
    const found = existsSync(source) ? await checkEntry(root, source) : [missing];
    return found.map((problem) => `${entry}: ${problem}`);
  });
  return (await Promise.all(problems)).flat();
}

async function checkEntry(root: string, source: string): Promise<string[]> {
  const problems: string[] = [];
  const bundle = await rolldown({
    input: source,
    platform: "browser",
    resolve: { conditionNames: [sourceCondition, "browser", "import", "default"] },
    logLevel: "silent",
    plugins: [
      {
        name: "no-packages",
        resolveId(id, importer = "") {
          if (/^[./]/.test(id)) return null;
          problems.push(`${relative(root, importer)} imports ${id}`);
          return { id, external: true };
        },
      },
    ],
  });
  const { output } = await bundle.generate({ format: "iife", name: "bundle" });
  await bundle.close();
  if (problems.length > 0) return problems;
  return output[0].exports.length === 0 ? ["the bundle exports nothing"] : load(output[0].code);
}

function load(code: string): string[] {
  const here: Readonly<Record<string, unknown>> = globalThis;
  try {
    runInNewContext(code, Object.fromEntries(globals.split(" ").map((name) => [name, here[name]])));
    return [];
  } catch (error) {
    return [String(error)];
  }
}

if (import.meta.main) await reportProblems(checkBrowser);
