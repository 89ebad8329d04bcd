import { describe, expect, it } from "vitest";
import { checkExamples } from "./check-examples.ts";
import { plant } from "./plant.ts";

const fence = "```";
const check = async (files: Readonly<Record<string, string>>): Promise<string[]> => {
  using tree = plant({ "src/index.ts": "export const answer: number = 42;\n", ...files });
  return await checkExamples(tree.root);
};
const docstring = (code: string, flag = ""): string =>
  `/**\n * A line.\n *\n * ${fence}ts${flag}\n${code.replace(/^/gm, " * ")}\n * ${fence}\n */\nexport {};\n`;
const use = 'import { answer } from "sluice";\n';

describe("checkExamples", () => {
  it("compiles and runs the blocks of docstrings and pages, which import the package by name", async () => {
    expect(
      await check({
        "src/a.ts": docstring(`${use}\nif (answer !== 42) throw new Error("no");`),
        "README.md": `# Title\n\n${fence}ts\n${use}answer.toFixed();\n${fence}\n`,
        "docs/guide.md": `${fence}sh\nnot TypeScript\n${fence}\n`,
        "docs/adr/0001-old.md": `${fence}ts\nlet broken: = 1;\n${fence}\n`,
      }),
    ).toEqual([]);
  });

  it("finds one that does not compile, at its line", async () => {
    const [problem, ...others] = await check({
      "src/a.ts": docstring(`${use}\nconst text: string = answer;`),
    });
    expect(problem).toBe("src/a.ts:7: Type 'number' is not assignable to type 'string'.");
    expect(others).toEqual([]);
  });

  it("finds one that fails when it runs", async () => {
    const [problem, ...others] = await check({
      "README.md": `\n${fence}ts\n${use}throw new Error(String(answer));\n${fence}\n`,
    });
    expect(problem).toContain("README.md:2: ended with 1");
    expect(problem).toContain("Error: 42");
    expect(others).toEqual([]);
  });

  it("compiles, but does not run, what never ends by itself", async () => {
    expect(await check({ "src/a.ts": docstring("throw new Error();", " no-run") })).toEqual([]);
    expect(await check({ "src/a.ts": docstring("nothing.here();", " no-run") })).toEqual([
      "src/a.ts:5: Cannot find name 'nothing'.",
    ]);
  });
});
