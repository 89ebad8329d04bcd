import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { rolldown } from "rolldown";
import { entryPoints, sourceCondition } from "./package.ts";
import { reportProblems } from "./problems.ts";

/** The entry points of the package that browsers load too. */
const entries = [".", "./pubsub"];

/** Bundles what is for browsers, and tells every import that no browser could follow. */
export async function checkBrowser(root: string): Promise<string[]> {
  const sources = entryPoints(root);
  const problems: string[] = [];
  for (const entry of entries) {
    const source = join(root, sources.get(entry) ?? "");
    if (!existsSync(source)) {
      problems.push(`${entry}: not an entry point of package.json, or its source is missing`);
      continue;
    }
    const refuse = (id: string, importer: string | undefined): void => {
      problems.push(`${entry}: ${relative(root, importer ?? "")} imports ${id}`);
    };
    const bundle = await rolldown({
      input: source,
      platform: "browser",
      resolve: { conditionNames: [sourceCondition, "browser", "import", "default"] },
      logLevel: "silent",
      plugins: [
        {
          name: "no-packages",
          resolveId(id, importer) {
            if (/^[./]/.test(id)) return null;
            refuse(id, importer);
            return { id, external: true };
          },
        },
      ],
    });
    const { output } = await bundle.generate({ format: "esm" });
    await bundle.close();
    if (output[0].exports.length === 0) problems.push(`${entry}: the bundle exports nothing`);
  }
  return problems;
}

if (import.meta.main) await reportProblems(checkBrowser);
