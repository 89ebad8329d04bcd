import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execPath } from "node:process";
import { run } from "./command.ts";
import { reportProblems } from "./problems.ts";

/** What the package shows to npm, beside what is built. */
const asTheyAre = ["package.json", "README.md", "LICENSE", "CHANGELOG.md", "bin"];

/**
 * Builds and packs the repository in a folder of its own, as npm would, and gives the tarball to publint and to
 * Are The Types Wrong.
 */
export async function checkPackage(root: string): Promise<string[]> {
  const scratch = mkdtempSync(join(tmpdir(), "sluice-package-"));
  try {
    for (const name of asTheyAre)
      if (existsSync(join(root, name)))
        cpSync(join(root, name), join(scratch, name), { recursive: true });
    const built = await complaints(root, execPath, [
      join(root, "scripts/build.ts"),
      join(scratch, "dist"),
    ]);
    if (built.length > 0) return built;
    const packed = await complaints(scratch, "npm", ["pack", "--ignore-scripts", "--silent"]);
    if (packed.length > 0) return packed;
    const tarball = join(scratch, readdirSync(scratch).find((name) => name.endsWith(".tgz")) ?? "");
    return (
      await Promise.all([
        complaints(root, "publint", ["run", tarball, "--strict"]),
        complaints(root, "attw", [tarball, "--profile", "esm-only", "--format", "ascii"]),
      ])
    ).flat();
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** What a command said, if it failed. */
async function complaints(
  cwd: string,
  command: string,
  args: readonly string[],
): Promise<string[]> {
  const { code, said } = await run(command, args, { cwd });
  return code === 0
    ? []
    : [
        `${command} ended with ${code}
${said.trimEnd()}`,
      ];
}

if (import.meta.main) await reportProblems(checkPackage);
