import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

const repository = resolve(import.meta.dirname, "..");

/** A tree of files for a test to look at; gone with the scope that made it. */
export interface Planted extends Disposable {
  /** Its folder. */
  readonly root: string;
}

/** The package with two entry points, and a compiler that reads few libraries: quick to check. */
const small = {
  "package.json": JSON.stringify({
    name: "sluice",
    type: "module",
    exports: {
      ".": { "sluice-source": "./src/index.ts" },
      "./pubsub": { "sluice-source": "./src/pubsub/index.ts" },
    },
  }),
  "tsconfig.json": JSON.stringify({
    compilerOptions: {
      target: "es2024",
      lib: ["es2024"],
      types: [],
      module: "nodenext",
      strict: true,
      declaration: true,
      noEmit: true,
      allowImportingTsExtensions: true,
      customConditions: ["sluice-source"],
    },
  }),
};

/**
 * Makes a tree in a scratch folder, which finds the packages of the repository: a small package, then copies of
 * `copied` from the repository, then `files`.
 */
export function plant(
  files: Readonly<Record<string, string>>,
  copied: readonly string[] = [],
): Planted {
  const root = mkdtempSync(join(tmpdir(), "sluice-plant-"));
  const write = ([name, text]: [string, string]): void => {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  };
  symlinkSync(join(repository, "node_modules"), join(root, "node_modules"));
  Object.entries(small).forEach(write);
  for (const name of copied) cpSync(join(repository, name), join(root, name), { recursive: true });
  Object.entries(files).forEach(write);
  return { root, [Symbol.dispose]: () => rmSync(root, { recursive: true }) };
}
