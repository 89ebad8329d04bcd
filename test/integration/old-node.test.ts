// The command on a Node that is older than the package needs: npm only warns of that.
import { execPath } from "node:process";
import { expect, it } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import { run } from "../../scripts/command.ts";
import { root } from "./support/sluice.ts";

/** Runs the command under the belief that Node is that old. */
function under(version: string): ReturnType<typeof run> {
  const pretend = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } })`;
  const args = ["--import", `data:text/javascript,${encodeURIComponent(pretend)}`];
  return run(execPath, [...args, "bin/sluice.js", "--version"], { cwd: root });
}

it.each(["18.20.8", "20.20.2", "22.17.1"])("says on Node %s what it needs", async (version) => {
  const { code, said } = await under(version);
  expect(code).toBe(1);
  expect(said).toMatch(/^sluice: needs Node 22\.18 or newer/);
  expect(said).toContain(`this is Node ${version}`);
});

it.each(["22.18.0", "23.0.0", "24.1.0"])(
  "runs on Node %s, as package.json says",
  async (version) => {
    expect(manifest.engines.node).toBe(">=22.18");
    expect(await under(version)).toMatchObject({ code: 0, said: `${manifest.version}\n` });
  },
);
