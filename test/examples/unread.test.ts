import { describe, expect, it } from "vitest";
import { simulate } from "sluice/testing";
import { addOneMore, addOnce, askThenSet, pipeline } from "../../examples/b1-unread.ts";
import { failure } from "../simulation/steps.ts";
import { started } from "./example.ts";

const faults = { crash: 0.02, slow: { probability: 0.05, maxMs: 100 }, clockJumpMs: 3_600_000 };

describe("b1-unread.ts", () => {
  it("R17: ask, then set: a race that any order of things shows", async () => {
    const { details } = await failure(simulate(pipeline(askThenSet), { seeds: 200 }));
    expect(details.invariant).toMatch(/the count is \d, not 20$/);
    expect(details.replay).toBe("1//");
  });

  it("R17: add one more: right without faults, and a crash after counting counts twice", async () => {
    await simulate(pipeline(addOneMore), { seeds: 200 });
    const { details } = await failure(simulate(pipeline(addOneMore), { seeds: 200, faults }));
    expect(details.invariant).toMatch(/the count is 2\d, not 20$/);
    expect(details.replay).toMatch(/a\d+@work\/$/);
    const again = await failure(
      simulate(pipeline(addOneMore), { seeds: [details.replay], faults }),
    );
    expect(again.details).toEqual(details);
  });

  it("add once: right in 500 orders, whatever goes wrong", async () => {
    const report = await simulate(pipeline(addOnce), { seeds: 500, faults });
    expect(report.traces).toBe(500);
    expect(report.crashes).toBeGreaterThan(100);
  });
});

it("b2-find-mistakes.ts prints both mistakes with what to replay, and nothing of the third try", async () => {
  await using example = started("b2-find-mistakes.ts");
  expect(await example.exited).toBe(0);
  const text = example.lines.join("\n");
  expect(text).toMatch(
    /^ask, then set: seed 1 breaks: Error: the count is \d, not 20\nreplay it with/,
  );
  expect(text).toMatch(/^add one more: seed \d+ breaks: Error: the count is 2\d, not 20$/m);
  expect(text).toMatch(/work#\d+ CRASHES instead/);
  expect(text).toMatch(/^add once: nothing found\n200 seeds, 200 distinct traces/m);
});
