import { describe, expect, it } from "vitest";
import { checkFiles } from "./check-files.ts";
import { plant } from "./plant.ts";

const lines = (count: number): string => "// one\n".repeat(count);
const reasons = (record: Readonly<Record<string, string>>): Record<string, string> => ({
  "scripts/long-files.json": JSON.stringify(record),
});

describe("checkFiles", () => {
  it("finds a file above 400 lines, and an example above 120", () => {
    using tree = plant({
      ...reasons({}),
      "src/stage/short.ts": lines(400),
      "src/stage/long.ts": lines(401),
      "examples/a1.ts": lines(120),
      "examples/a2.ts": lines(121),
    });
    expect(checkFiles(tree.root)).toEqual([
      "src/stage/long.ts: 401 lines, at most 400 (or a reason in scripts/long-files.json)",
      "examples/a2.ts: 121 lines, at most 120 (or a reason in scripts/long-files.json)",
    ]);
  });

  it("takes a written reason, but no empty one and none for a file that needs none", () => {
    using tree = plant({
      ...reasons({
        "src/stage/table.ts": "a table of the protocol, read top to bottom",
        "src/stage/long.ts": "",
        "src/stage/gone.ts": "it was long when this was written",
      }),
      "src/stage/table.ts": lines(500),
      "src/stage/long.ts": lines(500),
    });
    expect(checkFiles(tree.root)).toEqual([
      "src/stage/long.ts: 500 lines, at most 400 (or a reason in scripts/long-files.json)",
      "src/stage/gone.ts: short enough, or gone; take it out of scripts/long-files.json",
    ]);
  });

  it("finds a lint rule that is silenced without a reason", () => {
    const silence = ["// oxlint", "disable", "next", "line no-explicit-any"].join("-");
    using tree = plant({
      ...reasons({}),
      "src/stage/mute.ts": `const a = 1;\n${silence}\nconst b = 2;\n`,
      "src/stage/behind.ts": `${silence} -- the compiler knows no other type\n`,
      "src/stage/above.ts": `// The compiler knows no other type.\n${silence}\n`,
    });
    expect(checkFiles(tree.root)).toEqual([
      "src/stage/mute.ts:2: silences a check without its reason (`-- why`)",
    ]);
  });

  it("fails when it saw nothing", () => {
    using tree = plant(reasons({}));
    expect(checkFiles(tree.root)).toEqual(["no file was seen: the check did not work"]);
  });
});
