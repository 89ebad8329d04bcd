import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { execPath } from "node:process";
import { describe, expect, it } from "vitest";
import { run } from "./command.ts";
import { plant } from "./plant.ts";

describe("the build", () => {
  it("makes modules with declarations, and maps that hold their sources, takes pages along, and leaves tests out", async () => {
    using tree = plant(
      {
        "src/index.ts": 'export { one } from "./stage/one.ts";\n',
        "src/stage/one.ts": "export const one: number = 1;\n",
        "src/stage/one.test.ts": "export {};\n",
        "src/cli/page/page.css": "body { margin: 0 }\n",
        "src/cli/page/index.html": "<!doctype html>\n",
        "dist/old.js": "",
      },
      ["tsconfig.build.json"],
    );
    const build = join(import.meta.dirname, "build.ts");
    expect(await run(execPath, [build], { cwd: tree.root })).toEqual({ code: 0, said: "" });
    const module = (name: string): string[] =>
      ["d.ts", "js", "js.map"].map((end) => `${name}.${end}`);
    expect(globSync("**/*.*", { cwd: join(tree.root, "dist") }).toSorted()).toEqual(
      [
        "cli/page/index.html",
        "cli/page/page.css",
        ...module("index"),
        ...module("stage/one"),
      ].toSorted(),
    );
    const map = readFileSync(join(tree.root, "dist/stage/one.js.map"), "utf8");
    expect(JSON.parse(map)).toMatchObject({ sourcesContent: ["export const one: number = 1;\n"] });
  });
});
