import { describe, expect, it } from "vitest";
import { checkPackage } from "./check-package.ts";
import { plant } from "./plant.ts";

/** What is said of a package with one entry point, as small as it can be. */
async function check(entry: object, source = "export const one: number = 1;\n"): Promise<string> {
  const manifest = {
    name: "sluice",
    version: "0.1.0",
    type: "module",
    sideEffects: false,
    files: ["dist"],
    exports: { ".": entry },
  };
  using tree = plant({ "package.json": JSON.stringify(manifest), "src/index.ts": source }, [
    "tsconfig.build.json",
    "scripts/build.ts",
  ]);
  return (await checkPackage(tree.root)).join("\n");
}

describe("checkPackage", () => {
  const good = { types: "./dist/index.d.ts", default: "./dist/index.js" };

  it("is content with a package whose types and modules are where it says", async () => {
    expect(await check(good)).toBe("");
  });

  it("finds an entry point that leads to no module, or to no types, in the tarball", async () => {
    expect(await check({ ...good, default: "./dist/main.js" })).toMatch(
      /publint ended with 1[^]*main\.js/,
    );
    expect(await check({ ...good, types: "./dist/main.d.ts" })).toMatch(/attw ended with 1/);
  });

  it("finds sources that do not compile", async () => {
    expect(await check(good, 'export const one: number = "1";\n')).toContain(
      "src/index.ts(1,14): error TS2322",
    );
  });
});
