import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const program = fileURLToPath(new URL("faults.ts", import.meta.url));

/** What a program of faults.ts found out. */
async function found(scenario: string, ...flags: string[]): Promise<Record<string, unknown>> {
  const args = ["--conditions=sluice-source", ...flags, program, scenario];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout.trim().split("\n").at(-1)!) as Record<string, unknown>;
}

it("R16: a million casts to a stalled process stay within its mailbox and a heap of 128 MB; each one beyond is counted", async () => {
  const { dropped, peakMb, code } = await found("mailbox", "--max-old-space-size=128");
  expect({ dropped, code }).toEqual({ dropped: 990_000, code: "SLUICE_MAILBOX_FULL" });
  expect(peakMb).toBeLessThan(400);
});

it("R25: a crash loop without a bound lets timers live; with a restart delay it takes next to no processor", async () => {
  const [loop, slow] = [await found("crashLoop"), await found("slowCrashLoop")];
  expect(loop["restarts"]).toBeGreaterThan(100);
  expect(loop["lateMs"]).toBeLessThan(200);
  expect(slow["restarts"]).toBeLessThanOrEqual(101);
  expect(slow["restarts"]).toBeGreaterThan(20);
  expect(slow["cpuMs"]).toBeLessThan(1_000);
});

it("R27: a stop takes no longer than the kills on its way, and leaves no timer, name or handle", async () => {
  const { ms, timers, names, open } = await found("stop");
  expect(ms).toBeGreaterThanOrEqual(249);
  expect(ms).toBeLessThan(1_000);
  expect({ timers, names }).toEqual({ timers: 0, names: 0 });
  expect((open as string[]).filter((what) => !what.startsWith("Pipe"))).toEqual([]);
});

it("R29: every floating rejection is reported by run, once; the process that left it goes on", async () => {
  expect(await found("floating")).toEqual({ reason: "shutdown", reported: 20 });
});
