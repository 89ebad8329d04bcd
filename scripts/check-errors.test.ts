import { describe, expect, it } from "vitest";
import { checkErrors } from "./check-errors.ts";
import { plant } from "./plant.ts";

const list = `export interface ErrorDetails {
  readonly SLUICE_ONE: { readonly a: number };
  readonly SLUICE_TWO: {
    readonly b: string;
  };
}
`;
const check = (page: string, files: Readonly<Record<string, string>> = {}): string[] => {
  using tree = plant({
    "src/support/errors.ts": list,
    "docs/reference/errors.md": page,
    ...files,
  });
  return checkErrors(tree.root);
};

describe("checkErrors", () => {
  it("is content with one heading for each code", () => {
    expect(check("# Errors\n\n## `SLUICE_TWO`\n\nSaid.\n\n## `SLUICE_ONE`\n\nSaid.\n")).toEqual([]);
  });

  it("finds a code without a heading, a heading without a code, and one that stands twice", () => {
    expect(check("## `SLUICE_ONE`\n\n## `SLUICE_THREE`\n\n## `SLUICE_ONE`\n")).toEqual([
      "docs/reference/errors.md: no heading for SLUICE_TWO",
      "docs/reference/errors.md: SLUICE_THREE is not in src/support/errors.ts",
      "docs/reference/errors.md: SLUICE_ONE stands twice",
    ]);
  });

  it("finds a docstring that promises a code which does not exist", () => {
    const page = "## `SLUICE_ONE`\n\n## `SLUICE_TWO`\n";
    expect(
      check(page, {
        "src/stage/a.ts": "/** @throws SLUICE_ONE always */\n/** @throws `SLUICE_NONE` never */\n",
      }),
    ).toEqual(["src/stage/a.ts: @throws SLUICE_NONE, which is not in src/support/errors.ts"]);
  });

  it("fails when it saw no code", () => {
    expect(check("", { "src/support/errors.ts": "export {};\n" })).toEqual([
      "src/support/errors.ts: no code was seen: the check did not work",
    ]);
  });
});
