import { expect, it } from "vitest";
import { runParts } from "./run.ts";

const program = (text: string): readonly string[] => ["--input-type=module", "-e", text];

it("runs each part to its end, whatever became of those before it, and says what came of each", async () => {
  let said = "";
  const outcomes = await runParts(
    {
      good: program("console.info('begins'); console.info('R1 good: 7 ms')"),
      bad: program("console.info('R2 bad: 9 ms'); console.error('R2 FAILS'); process.exitCode = 1"),
      broken: program("console.info('R3'); throw new Error('broken')"),
      skipped: program("console.warn('SLUICE_SKIP_NETWORKS=1: NOT TESTED: R4')"),
      last: program("console.info('R5 last: 1 ms')"),
    },
    (text) => (said += text),
  );
  expect(
    Object.entries(outcomes).map(([name, { result, figure }]) => [name, result, figure]),
  ).toEqual([
    ["good", "ok", "R1 good: 7 ms"],
    ["bad", "FAILED", "R2 bad: 9 ms"],
    ["broken", "FAILED", "R3"],
    ["skipped", "LEFT OUT", ""],
    ["last", "ok", "R5 last: 1 ms"],
  ]);
  for (const text of ["begins", "R2 FAILS", "Error: broken", "NOT TESTED: R4"])
    expect(said).toContain(text);
});
