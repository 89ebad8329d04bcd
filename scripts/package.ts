import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What the checks read of package.json. */
interface Manifest {
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
}

/** The condition under which the package's exports lead to its sources. */
export const sourceCondition = "sluice-source";

/** The package's entry points: subpath (`"."`, `"./pubsub"`, …) to its source, from the root. */
export function entryPoints(root: string): Map<string, string> {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest;
  return new Map(
    Object.entries(manifest.exports).flatMap(([subpath, target]) => {
      const source = typeof target === "object" ? target[sourceCondition] : undefined;
      return source === undefined ? [] : [[subpath, source.replace(/^\.\//, "")]];
    }),
  );
}
