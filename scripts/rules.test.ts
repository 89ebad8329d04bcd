import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { plant } from "./plant.ts";
import { findRules, rowsIn, type Rules } from "./rules.ts";

const page = "docs/reference/rules.md";
const pages = `${page}, docs/reference/channel-rules.md`;
const leftOut = "docs/reference/rules-left-out.md";
const find = (files: Readonly<Record<string, string>>): Rules => {
  using tree = plant(files);
  return findRules(tree.root);
};

describe("rowsIn", () => {
  it.each([
    ["S34, G37: infos wait", ["S34", "G37"]],
    ["S37–S39, BU1-2: in a buffer", ["S37", "S38", "S39", "BU1", "BU2"]],
    ["knows nothing (R89)", ["R89"]],
    ["E2E, MP3, CS, 1/0, V8 and B", []],
  ])("%s", (text, rows) => {
    expect(rowsIn(text)).toEqual(rows);
  });
});

describe("findRules", () => {
  it("finds the tests of a row, by their names and by tables of cases", () => {
    const { rows, missing } = find({
      "src/a.test.ts": [
        'describe("of G1", () => {',
        "  it('S2, S3: \"all\"', () => {});",
        "  it.each([1, 2])(`S4–S6: with ${1}`, () => {});",
        "});",
      ].join("\n"),
      "src/cases.ts": 'export const cases = [{ name: "CS7, CS9: both", run() {} }];',
      "test/b.test.ts": 'it("S2: again", () => {});',
    });
    const of = (row: string): readonly string[] => rows.get(row)!.map(({ place }) => place);
    expect(of("G1")).toEqual(["src/a.test.ts:1"]);
    expect(of("S2")).toEqual(["src/a.test.ts:2", "test/b.test.ts:1"]);
    expect(rows.get("S2")![0]!.name).toBe('S2, S3: "all"');
    expect(of("S5")).toEqual(["src/a.test.ts:3"]);
    expect(of("CS9")).toEqual(["src/cases.ts:1"]);
    expect(missing.filter((row) => /^(S[1-7]|CS[789])$/.test(row))).toEqual(["S1", "S7", "CS8"]);
  });

  it("counts no skipped test, no comment and no other text", () => {
    const { rows } = find({
      "src/a.test.ts": [
        "// G1",
        'it.skip("G1: later", () => {});',
        'it.todo("G1: later");',
        'describe.skip("G1", () => {});',
        'it("other", () => expect(log).toBe("see G1"));',
      ].join("\n"),
    });
    expect(rows.get("G1")).toEqual([]);
  });

  it("takes a reason for a test, and wants no reason where there is a test", () => {
    const { missing, problems } = find({
      [page]: "| Row | Sluice |\n| --- | --- |\n| G1–G122 | all |\n",
      [leftOut]: "| Row | Reason |\n| --- | --- |\n| G2, G4–G6 | no such thing here |\n",
      "src/a.test.ts": 'it("G1, G2: said", () => {});',
    });
    expect(missing.slice(0, 3)).toEqual(["G3", "G7", "G8"]);
    expect(problems.filter((problem) => !problem.includes("no line for"))).toEqual([
      `${leftOut}: G2 is tested at src/a.test.ts:1`,
    ]);
  });

  it("finds a number that has no line, and a line that stands twice", () => {
    const { problems } = find({
      [page]: "| G1 | one |\n| G2 | two |\n| G2 | two |\n",
      "src/a.test.ts": 'it("G1, G123: said", () => {});',
    });
    expect(problems.filter((problem) => !/no line for [^G]/.test(problem)).slice(0, 3)).toEqual([
      `src/a.test.ts:1: G123 is in none of ${pages}`,
      `G2 stands twice in ${pages}`,
      `no line for G3 in ${pages}`,
    ]);
  });

  it("every row that a test of this repository cites has its line, and every line its own", () => {
    const { rows, problems } = findRules(resolve(import.meta.dirname, ".."));
    expect(rows.size).toBe(692);
    expect([...rows.values()].flat().length).toBeGreaterThan(150);
    expect(problems).toEqual([]);
  });
});
