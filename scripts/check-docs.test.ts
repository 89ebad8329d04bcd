import { describe, expect, it } from "vitest";
import { checkDocs } from "./check-docs.ts";
import { plant } from "./plant.ts";

const check = (files: Readonly<Record<string, string>>): string[] => {
  using tree = plant({ "src/pubsub/index.ts": "export {};\n", ...files });
  return checkDocs(tree.root);
};

describe("checkDocs", () => {
  it("finds an exported symbol without a docstring, also one exported from deeper", () => {
    expect(
      check({
        "src/index.ts": 'export { deep, said } from "./stage/deep.ts";\nexport type Bare = 1;\n',
        "src/stage/deep.ts":
          "export const deep: number = 1;\n\n/** Said. */\nexport const said: number = 2;\nexport const kept: number = 3;\n",
      }),
    ).toEqual([
      "src/index.ts:2: Bare has no docstring",
      "src/stage/deep.ts:1: deep has no docstring",
    ]);
  });

  it("finds a member that users or subclasses see, and leaves the rest", () => {
    const problems = check({
      "src/index.ts": `
/** A stage. */
export class Stage {
  declare readonly "~emits"?: number;
  open = 1;
  protected handle(): void {}
  private hidden = 2;
  #closed = 3;
  /** Both. */
  sum(): number { return this.hidden + this.#closed; }
}
/** Derived. */
export class Derived extends Stage {
  override sum(): number { return 0; }
}
/** Options. */
export interface Options { readonly size?: number; pick(): void }
/** The same as a type. */
export type Shape = { readonly width: number };
`,
    });
    expect(problems.map((line) => line.replace(/.*: /, "")).toSorted()).toEqual([
      "Options.pick has no docstring",
      "Options.size has no docstring",
      "Shape.width has no docstring",
      "Stage.handle has no docstring",
      "Stage.open has no docstring",
    ]);
  });

  it("fails when an entry point is missing, or nothing is exported", () => {
    expect(check({ "src/stage/a.ts": "export {};\n" })).toEqual([
      "no export was seen: the check did not work",
      "src/index.ts: an entry point of package.json, but no module",
    ]);
  });
});
