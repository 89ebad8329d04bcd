import { execPath } from "node:process";
import { describe, expect, it } from "vitest";
import { runChecks } from "./check.ts";

const node = (code: string): [string, ...string[]] => [execPath, "--eval", code];

describe("runChecks", () => {
  it("tells of each in a line, and what the failed ones said", async () => {
    const lines: string[] = [];
    const { failed } = await runChecks(
      {
        good: node("console.log('quiet')"),
        bad: node("console.error('a.ts: no docs'); process.exitCode = 1"),
        killed: node("process.kill(process.pid)"),
      },
      (line) => lines.push(line),
    );
    expect(failed.toSorted()).toEqual(["bad", "killed"]);
    const said = lines.join("\n");
    expect(said).toMatch(/^ok {3}good +\d+\.\d s$/m);
    expect(said).toMatch(/^FAIL bad +\d+\.\d s\n {5}a\.ts: no docs$/m);
    expect(said).toMatch(/^FAIL killed/m);
    expect(said).not.toContain("quiet");
  });
});
