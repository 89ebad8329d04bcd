import { cruise, type IDependency, type IModule } from "dependency-cruiser";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { below, browserSafe, layers, rootLayer, type Layer } from "./layers.ts";
import { reportProblems } from "./problems.ts";

/** One import: which file names what, and where that leads. */
export interface Import {
  /** The file, from the repository's root. */
  readonly from: string;
  /** What it resolves to: a file from the root, or the name of a module of Node. */
  readonly to: string;
  /** As it is written in the file. */
  readonly written: string;
  /** A module of Node's own, a package that only developers install, or neither: users may install a peer. */
  readonly kind?: "node" | "dev";
}

/** Why an import may not stand, or nothing if it may. */
export function refuse({ from, to, written, kind }: Import): string | undefined {
  if (from.startsWith("examples/") && to.startsWith("src/") && written.startsWith("."))
    return "an example imports what users import: the package by its name";
  if (!from.startsWith("src/")) return undefined;
  const layer = layerOf(from);
  if (layer === undefined) return "src/ holds layers only: see scripts/layers.ts";
  const test = from.endsWith(".test.ts");
  if (kind === "dev" && !test) return "a package that users do not get";
  if (kind === "node" && !test && (layer === "root" || browserSafe.includes(layer)))
    return `${layer} runs in browsers too`;
  if (!to.startsWith("src/")) return undefined;
  const target = layerOf(to);
  if (target === "root") return "the root is for users; a layer imports the layers below it";
  if (target === undefined) return "src/ holds layers only: see scripts/layers.ts";
  if (target === layer && part(from) === part(to)) return undefined;
  if (!/^src\/(adapters\/)?[^/]+\/(index|internal)\.ts$/.test(to))
    return `only ${target}/index.ts and ${target}/internal.ts are for other layers`;
  const allowed = layer === "root" ? [rootLayer, ...below(rootLayer)] : below(layer);
  if (allowed.includes(target) || (test && target === "testing")) return undefined;
  return target === layer
    ? "adapters never import each other"
    : `${layer} stands beside or below ${target}`;
}

function layerOf(file: string): Layer | "root" | undefined {
  const [, name = ""] = file.split("/");
  if (/^index(\.test)?\.ts$/.test(name)) return "root";
  return Object.hasOwn(layers, name) ? (name as Layer) : undefined;
}

/** Each adapter is a layer of its own. */
const part = (file: string): string | undefined => /^src\/adapters\/[^/]+/.exec(file)?.[0];

/**
 * Every import of the repository in `root` that may not stand, and every cycle at run time, in words.
 * Two files of a layer may know each other's types.
 */
export async function checkImports(root: string): Promise<string[]> {
  const modules = await modulesOf(root, { types: true });
  // With a compiler that it does not know, dependency-cruiser sees nothing and is content.
  if (modules.length === 0) return ["no module was seen: the check did not work"];
  const imports = modules.flatMap(({ source, dependencies }) =>
    dependencies.flatMap((dependency) => judge(source, dependency)),
  );
  const cycles = (await modulesOf(root, { types: false })).flatMap(({ dependencies }) =>
    dependencies.flatMap(({ cycle }) => (cycle ? [inWords(cycle.map(({ name }) => name))] : [])),
  );
  return [...new Set([...imports, ...cycles])].toSorted();
}

async function modulesOf(root: string, { types }: { types: boolean }): Promise<IModule[]> {
  const { output } = await cruise(
    ["src", "examples"].filter((name) => existsSync(resolve(root, name))),
    {
      baseDir: root,
      doNotFollow: "node_modules",
      tsPreCompilationDeps: types,
      enhancedResolveOptions: {
        exportsFields: ["exports"],
        conditionNames: ["sluice-source", "import", "types", "default"],
      },
    },
  );
  if (typeof output === "string") throw new Error(output);
  return output.modules.filter(({ source }) => /^(src|examples)\//.test(source));
}

function judge(from: string, dependency: IDependency): string[] {
  const { resolved: to, module: written, dependencyTypes, couldNotResolve } = dependency;
  // A page's script imports what is served beside it.
  if (written.startsWith("/")) return [];
  if (couldNotResolve) return [`${from}: "${written}" leads nowhere`];
  const is = (type: (typeof dependencyTypes)[number]): boolean => dependencyTypes.includes(type);
  // Asked for at run time, and missed without harm.
  if (is("process-get-builtin-module")) return [];
  const kind = is("core") ? "node" : is("npm-dev") && !is("npm-peer") ? "dev" : undefined;
  const why = refuse({ from, to, written, ...(kind && { kind }) });
  return why === undefined ? [] : [`${from} → ${written}: ${why}`];
}

/** The same words from whichever file of the cycle it is told. */
function inWords(cycle: readonly string[]): string {
  const first = cycle.indexOf(cycle.toSorted()[0] ?? "");
  return `cycle: ${[...cycle.slice(first), ...cycle.slice(0, first + 1)].join(" → ")}`;
}

if (import.meta.main) await reportProblems(checkImports);
