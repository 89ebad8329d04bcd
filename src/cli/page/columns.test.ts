import { describe, expect, it } from "vitest";

interface Stage {
  readonly id: string;
  readonly from?: readonly string[];
}
// What the page runs is JavaScript without types.
const { columns } = (await import(new URL("./columns.js", import.meta.url).href)) as {
  readonly columns: (stages: readonly Stage[]) => Stage[][];
};

function ids(stages: readonly Stage[]): string[][] {
  return columns(stages).map((column) => column.map(({ id }) => id));
}

describe("columns", () => {
  it("puts stages one after the other when nothing is said", () => {
    expect(ids([{ id: "stdin" }, { id: "deliver" }])).toEqual([["stdin"], ["deliver"]]);
    expect(ids([])).toEqual([]);
  });

  it("puts a stage right of all that it subscribed to", () => {
    const stages = [
      { id: "system", from: [] },
      { id: "inbox", from: [] },
      { id: "map", from: ["inbox"] },
      { id: "deliver", from: ["system", "map"] },
    ];
    expect(ids(stages)).toEqual([["system", "inbox"], ["map"], ["deliver"]]);
  });
});
