import { join } from "node:path";
import ts from "typescript";

/** The options of the repository's tsconfig.json, for programs of the compiler's interface. */
export function compilerOptions(root: string): ts.CompilerOptions {
  const file = join(root, "tsconfig.json");
  const read = ts.readConfigFile(file, (path) => ts.sys.readFile(path)) as { config: unknown };
  return ts.parseJsonConfigFileContent(read.config, { ...ts.sys, readDirectory: () => [] }, root)
    .options;
}
