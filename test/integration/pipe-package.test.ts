// The package as npm hands it out: packed, installed elsewhere, run.
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execPath } from "node:process";
import { expect, it } from "vitest";
import { run } from "../../scripts/command.ts";
import { pageFiles } from "../../src/cli/page-routes.ts";
import { startClient } from "./support/client.ts";
import { root, scratch, watch } from "./support/sluice.ts";

async function done(command: string, args: readonly string[], cwd: string): Promise<string> {
  const { code, said } = await run(command, args, { cwd });
  expect(`${code} ${said}`).toMatch(/^0 /);
  return said;
}

it("the packed tarball, installed elsewhere, pipes: page, client and styles are in it", async () => {
  using folder = scratch();
  const [source, home] = ["source", "home"].map((name) => join(folder.path, name)) as [
    string,
    string,
  ];
  for (const made of [source, home]) mkdirSync(made);
  for (const name of ["package.json", "README.md", "LICENSE", "bin"])
    cpSync(join(root, name), join(source, name), { recursive: true });
  await done(execPath, [join(root, "scripts/build.ts"), join(source, "dist")], root);
  const packed = await done("npm", ["pack", "--ignore-scripts", "--silent"], source);
  writeFileSync(join(home, "package.json"), "{}");
  const tarball = join(source, packed.trim().split("\n").at(-1)!);
  const quietly = ["--prefer-offline", "--no-audit", "--no-fund", "--omit=dev"];
  await done("npm", ["install", ...quietly, tarball], home);

  await using sluice = watch(
    spawn("npx", ["sluice", "pipe", "--topic", "t", "--port", "0", "--wait-for", "1", "--exit"], {
      cwd: home,
      stdio: ["pipe", "pipe", "pipe"],
    }),
  );
  const url = await sluice.url();
  for (const path of ["", "phoenix.mjs", "config.json", ...pageFiles.slice(1)]) {
    const response = await fetch(`${url}/${path}`);
    expect(`${path} ${response.status}`).toBe(`${path} 200`);
    expect((await response.text()).length).toBeGreaterThan(0);
  }
  await using client = startClient({ url, topic: "t" });
  sluice.child.stdin?.end("packed\n");
  expect((await client.received(1)).last).toMatchObject({ data: "packed" });
  expect((await sluice.exited).code).toBe(0);
  expect(await sluice.figure("delivered")).toBe(1);
}, 120_000);
