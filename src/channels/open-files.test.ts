import { spawnSync } from "node:child_process";
import { execPath } from "node:process";
import { expect, it } from "vitest";

/** A program with few files: what is left of limits, and what is said of that. */
const program = `
  const { attach } = await import("sluice/telemetry");
  const logs = [];
  attach("sluice.log", ({ level, message }) => logs.push(level + ": " + message));
  const { withinOpenFiles, linesWithin } = await import(process.env.FILE);
  const { defaultLimits } = await import("sluice/channels");
  const few = { ...defaultLimits, maxConnections: 10 };
  const limits = [
    withinOpenFiles("web", defaultLimits, undefined),
    withinOpenFiles("web", defaultLimits, 10_000),
    withinOpenFiles("web", few, 10),
  ];
  console.info(JSON.stringify({
    connections: limits.map(({ maxConnections }) => maxConnections),
    lines: [linesWithin(11_000), linesWithin(50)],
    isSame: limits[2] === few,
    logs,
  }));
`;

it("lets in no more than there are files for, and says so (R70)", () => {
  const args = ["--conditions=sluice-source", "--input-type=module", "-e", program];
  const { stdout, stderr } = spawnSync(
    "sh",
    ["-c", 'ulimit -n 400 && exec "$0" "$@"', execPath, ...args],
    { env: { ...process.env, FILE: import.meta.resolve("./open-files.ts") }, encoding: "utf8" },
  );
  expect(stderr).toBe("");
  const told = "web lets in 300 connections, not 10000: the process may have 400 files open";
  expect(JSON.parse(stdout)).toEqual({
    connections: [300, 300, 10],
    lines: [320, 50],
    isSame: true,
    logs: [`info: ${told}`, `warning: ${told}`],
  });
});
