import { describe, expect, it } from "vitest";
import { checkBrowser } from "./check-browser.ts";
import { plant } from "./plant.ts";

const pubsub = { "src/pubsub/index.ts": "export const bus: number = 1;\n" };

describe("checkBrowser", () => {
  it("finds an import of Node, however deep, and of a package", async () => {
    using tree = plant({
      ...pubsub,
      "src/index.ts": 'export { read } from "./stage/read.ts";\n',
      "src/stage/read.ts":
        'import { readFileSync } from "node:fs";\nimport { WebSocket } from "ws";\nexport const read: unknown = [readFileSync, WebSocket];\n',
    });
    expect((await checkBrowser(tree.root)).toSorted()).toEqual([
      ".: src/stage/read.ts imports node:fs",
      ".: src/stage/read.ts imports ws",
    ]);
  });

  it("is content with what stands on itself, types of Node included", async () => {
    using tree = plant({
      ...pubsub,
      "src/index.ts":
        'import type { Readable } from "node:stream";\nexport const flows = (_: Readable): number => 1;\n',
    });
    expect(await checkBrowser(tree.root)).toEqual([]);
  });

  it("finds what takes a global of Node for granted as it is loaded", async () => {
    using tree = plant({
      ...pubsub,
      "src/index.ts": "export const folder: string = process.cwd();\n",
    });
    expect(await checkBrowser(tree.root)).toEqual([".: ReferenceError: process is not defined"]);
  });

  it("fails when an entry point is missing or empty", async () => {
    using tree = plant({ "src/pubsub/index.ts": "export type Bus = 1;\n" });
    expect(await checkBrowser(tree.root)).toEqual([
      ".: not an entry point of package.json, or its source is missing",
      "./pubsub: the bundle exports nothing",
    ]);
  });
});
