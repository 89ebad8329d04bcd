import { describe, expect, it } from "vitest";
import { run } from "./command.ts";
import { plant } from "./plant.ts";

describe("the check for unused code", () => {
  it("finds a file, an export and a dependency that nobody uses", async () => {
    const manifest = {
      name: "sluice",
      type: "module",
      exports: { ".": { "sluice-source": "./src/index.ts" } },
      dependencies: { ws: "8.23.0" },
    };
    using tree = plant(
      {
        "package.json": JSON.stringify(manifest),
        "src/index.ts": 'export { one } from "./stage/one.ts";\n',
        "src/stage/one.ts": "export const one: number = 1;\nexport const other: number = 2;\n",
        "src/stage/nobody.ts": "export {};\n",
      },
      ["knip.jsonc"],
    );
    const { code, said } = await run("knip", ["--no-progress", "--reporter", "compact"], {
      cwd: tree.root,
    });
    expect(code).toBe(1);
    expect(said).toMatch(/src\/stage\/nobody\.ts/);
    expect(said).toMatch(/src\/stage\/one\.ts: other/);
    expect(said).toMatch(/package\.json: ws/);
  });
});
