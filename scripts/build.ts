import { spawnSync } from "node:child_process";
import { cpSync, globSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { argv, execPath } from "node:process";

/** Builds the package into `argv[2]`, by default dist/: modules, declarations, maps, and pages as they are. */
const folder = resolve(argv[2] ?? "dist");
const compiler = "node_modules/typescript/bin/tsc";

rmSync(folder, { recursive: true, force: true });
const { status } = spawnSync(
  execPath,
  [compiler, "-p", "tsconfig.build.json", "--outDir", folder],
  { stdio: "inherit" },
);
for (const file of globSync("src/**/*.{js,css,html,svg,ico}"))
  cpSync(file, join(folder, file.replace(/^src\//, "")));
process.exitCode = status ?? 1;
