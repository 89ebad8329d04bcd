import { describe, expect, it } from "vitest";
import { run } from "./command.ts";
import { plant } from "./plant.ts";

interface Report {
  readonly diagnostics: readonly { readonly code?: string; readonly filename: string }[];
}

/** The rules that planted files break, by file. */
async function lint(files: Readonly<Record<string, string>>): Promise<Record<string, string[]>> {
  using tree = plant(files, [".oxlintrc.json", "scripts/lint", "tsconfig.json"]);
  const { said } = await run("oxlint", ["--format", "json"], { cwd: tree.root });
  const { diagnostics } = JSON.parse(said) as Report;
  const broken = (file: string): string[] =>
    diagnostics
      .filter(({ filename }) => filename === file)
      .map(({ code = "unused directive" }) => /\((.*)\)/.exec(code)?.[1] ?? code);
  return Object.fromEntries(Object.keys(files).map((file) => [file, broken(file)]));
}

const rawTime = {
  "setTimeout(() => undefined, 1);": "no-restricted-globals",
  "setInterval(() => undefined, 1);": "no-restricted-globals",
  "setImmediate(() => undefined);": "no-restricted-globals",
  "queueMicrotask(() => undefined);": "no-restricted-globals",
  "globalThis.setTimeout(() => undefined, 1);": "no-restricted-globals",
  "performance.now();": "no-restricted-globals",
  "Date.now();": "no-restricted-properties",
  "Math.random();": "no-restricted-properties",
  "globalThis.Date.now();": "no-restricted-properties",
  "const { random } = Math; random();": "no-restricted-properties",
  "export const now: Date = new Date();": "raw-date",
  "export const now: string = Date();": "raw-date",
  'import "node:timers";': "no-restricted-imports",
  'import "node:timers/promises";': "no-restricted-imports",
  'import "node:perf_hooks";': "no-restricted-imports",
};

describe("the linter's rules", () => {
  it("refuse raw time and chance in src/ and examples/, each form of it", async () => {
    const lines = Object.entries(rawTime);
    const files = lines.flatMap(([line], at) => [
      [`src/stage/planted-${at}.ts`, `export const some: number = 1;\n${line}\n`],
      [`examples/planted-${at}.ts`, `export const some: number = 1;\n${line}\n`],
    ]);
    const found = await lint(Object.fromEntries(files) as Record<string, string>);
    for (const [at, [line, rule]] of lines.entries()) {
      expect([line, found[`src/stage/planted-${at}.ts`]]).toEqual([line, [rule]]);
      expect([line, found[`examples/planted-${at}.ts`]]).toEqual([line, [rule]]);
    }
  });

  it("leave it to the port, to the simulator, to page scripts and to tests with real sockets", async () => {
    const text = `${Object.keys(rawTime).slice(0, 9).join("\n")}\nexport {};\n`;
    const found = await lint({
      "src/runtime/real.ts": text,
      "src/testing/clock.ts": text,
      "src/cli/page/page.ts": text,
      "src/channels/server.test.ts": text,
      "src/stage/known.ts": "export const at = (ms: number): Date => new Date(ms);\n",
    });
    expect(Object.values(found).flat()).toEqual([]);
  });

  it("refuse `any`, floating and misused promises, and what flows from `any`", async () => {
    const found = await lint({
      "src/stage/any.ts": "export type Loose = any;\n",
      "src/stage/floating.ts":
        "async function work(): Promise<void> {}\nwork();\nexport { work };\n",
      "src/stage/misused.ts":
        "declare const each: (call: () => void) => void;\neach(async () => await Promise.resolve());\nexport {};\n",
      "src/stage/unsafe.ts": 'export const text: string = JSON.parse("1");\n',
    });
    expect(found).toEqual({
      "src/stage/any.ts": ["no-explicit-any"],
      "src/stage/floating.ts": ["no-floating-promises"],
      "src/stage/misused.ts": ["no-misused-promises"],
      "src/stage/unsafe.ts": ["no-unsafe-assignment"],
    });
  });

  it("refuse skipped and focused tests, and silence that silences nothing", async () => {
    const test = (kind: string): string => `it.${kind}("a", () => expect(1).toBe(1));\n`;
    const found = await lint({
      "src/stage/one.test.ts": `import { expect, it } from "vitest";\n${test("skip")}${test("only")}`,
      "src/stage/silent.ts": `// oxlint${"-disable"}-next-line no-var -- an old one\nexport {};\n`,
    });
    expect(found["src/stage/one.test.ts"]?.toSorted()).toEqual([
      "no-disabled-tests",
      "no-focused-tests",
    ]);
    expect(found["src/stage/silent.ts"]).toEqual(["unused directive"]);
  });
});
