import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkImports, refuse } from "./check-imports.ts";
import { below, diagram, layers, rootLayer, type Layer } from "./layers.ts";
import { plant } from "./plant.ts";

const repository = join(import.meta.dirname, "..");
const names = Object.keys(layers) as Layer[];

/** Whether `from` may import `to`, both below src/. */
const allowed = (from: string, to: string): boolean =>
  refuse({ from: `src/${from}`, to: `src/${to}`, written: "./some.ts" }) === undefined;

describe("the table of layers", () => {
  it("has no layer that stands on itself", () => {
    for (const layer of names) expect(below(layer)).not.toContain(layer);
  });

  it("stands in ARCHITECTURE.md as its diagram", () => {
    const present = names.filter((name) => existsSync(join(repository, "src", name)));
    const text = readFileSync(join(repository, "ARCHITECTURE.md"), "utf8");
    expect(/^```mermaid\n(graph TD.*?)\n```$/ms.exec(text)?.[1]).toBe(diagram(present));
  });

  it("keeps channels and stages apart, and joins them in delivery", () => {
    expect(below("channels")).not.toContain("stage");
    expect(below("channels")).not.toContain("pipeline");
    expect(below("stage")).not.toContain("pubsub");
    expect(below("delivery")).toEqual(expect.arrayContaining(["stage", "pipeline", "channels"]));
  });
});

describe("refuse", () => {
  it("lets a layer import the face of every layer below it, and of no other", () => {
    for (const from of names)
      for (const to of names.filter((name) => name !== from)) {
        const folder = (layer: Layer): string => (layer === "adapters" ? "adapters/nats" : layer);
        expect([from, to, allowed(`${folder(from)}/some.ts`, `${folder(to)}/index.ts`)]).toEqual([
          from,
          to,
          below(from).includes(to),
        ]);
      }
  });

  it("lets a layer import its own files, but only index.ts and internal.ts of another", () => {
    expect(allowed("stage/buffer.ts", "stage/events.ts")).toBe(true);
    expect(allowed("stage/buffer.ts", "process/index.ts")).toBe(true);
    expect(allowed("stage/buffer.ts", "process/internal.ts")).toBe(true);
    expect(allowed("stage/buffer.ts", "process/mailbox.ts")).toBe(false);
    expect(allowed("stage/buffer.ts", "process/deep/index.ts")).toBe(false);
  });

  it("keeps adapters from each other", () => {
    expect(allowed("adapters/nats/source.ts", "adapters/nats/client.ts")).toBe(true);
    expect(allowed("adapters/nats/source.ts", "adapters/redis/index.ts")).toBe(false);
  });

  it("lets a unit test import the simulator from above, and nothing else from there", () => {
    expect(allowed("stage/buffer.test.ts", "testing/index.ts")).toBe(true);
    expect(allowed("stage/buffer.test.ts", "channels/index.ts")).toBe(false);
    expect(allowed("stage/buffer.ts", "testing/index.ts")).toBe(false);
  });

  it("keeps the root to what runs in a browser, and every layer from importing the root", () => {
    expect(allowed("index.ts", `${rootLayer}/index.ts`)).toBe(true);
    expect(allowed("index.ts", "channels/index.ts")).toBe(false);
    expect(allowed("cli/main.ts", "index.ts")).toBe(false);
  });

  it("keeps Node out of the layers that run in a browser, except from their tests", () => {
    const to = { to: "fs", written: "node:fs", kind: "node" } as const;
    expect(refuse({ from: "src/stage/buffer.ts", ...to })).toContain("browsers");
    expect(refuse({ from: "src/index.ts", ...to })).toContain("browsers");
    expect(refuse({ from: "src/stage/buffer.test.ts", ...to })).toBeUndefined();
    expect(refuse({ from: "src/channels/server.ts", ...to })).toBeUndefined();
  });

  it("keeps packages that only developers install out of what users get", () => {
    const to = { to: "node_modules/vitest/index.js", written: "vitest", kind: "dev" } as const;
    expect(refuse({ from: "src/testing/suite.ts", ...to })).toContain("users");
    expect(refuse({ from: "src/testing/suite.test.ts", ...to })).toBeUndefined();
  });

  it("makes examples import the package as its users do", () => {
    const example = { from: "examples/a1.ts", to: "src/index.ts" };
    expect(refuse({ ...example, written: "sluice" })).toBeUndefined();
    expect(refuse({ ...example, written: "../src/index.ts" })).toContain("by its name");
  });

  it("knows no other folder in src/", () => {
    expect(allowed("misc/some.ts", "support/index.ts")).toBe(false);
    expect(allowed("cli/main.ts", "misc/some.ts")).toBe(false);
  });
});

describe("checkImports", () => {
  it(
    "finds a forbidden import planted in a copy of the sources, of a type too",
    { timeout: 120_000 },
    async () => {
      using tree = plant(
        {
          "src/channels/planted.ts": "export type Planted = 1;\n",
          "src/process/planted.ts":
            'export type { Planted } from "../channels/planted.ts";\nimport "node:fs";\n',
        },
        ["package.json", "src"],
      );
      const problems = await checkImports(tree.root);
      expect(problems).toContain(
        "src/process/planted.ts → ../channels/planted.ts: only channels/index.ts and channels/internal.ts are for other layers",
      );
      expect(problems).toContain("src/process/planted.ts → fs: process runs in browsers too");
    },
  );

  it("finds a cycle at run time, told once; types may refer to each other", async () => {
    using tree = plant({
      "src/support/a.ts": 'import "./b.ts";\nexport type A = 1;\n',
      "src/support/b.ts": 'import "./a.ts";\n',
      "src/support/c.ts": 'import type { A } from "./d.ts";\nexport type C = A;\n',
      "src/support/d.ts": 'import type { C } from "./c.ts";\nexport type A = C | 1;\n',
    });
    expect(await checkImports(tree.root)).toEqual([
      "cycle: src/support/a.ts → src/support/b.ts → src/support/a.ts",
    ]);
  });

  it("follows the package's own name, and tells what leads nowhere", async () => {
    using tree = plant({
      "src/index.ts": "export const one: number = 1;\n",
      "src/stage/a.ts": 'import "sluice";\nimport "./nowhere.ts";\n',
    });
    expect(await checkImports(tree.root)).toEqual([
      "src/stage/a.ts → sluice: the root is for users; a layer imports the layers below it",
      'src/stage/a.ts: "./nowhere.ts" leads nowhere',
    ]);
  });

  it("lets an adapter import a peer, and nothing import what only developers install", async () => {
    const versions = { pg: "8.23.1", redis: "6.3.1" };
    using tree = plant({
      "package.json": JSON.stringify({
        name: "sluice",
        devDependencies: versions,
        peerDependencies: { pg: "^8.11.0" },
      }),
      "src/adapters/postgres/a.ts": 'import "pg";\nimport "redis";\n',
    });
    expect(await checkImports(tree.root)).toEqual([
      "src/adapters/postgres/a.ts → redis: a package that users do not get",
    ]);
  });

  it("fails when it saw nothing", async () => {
    using tree = plant({ "src/readme.md": "" });
    expect(await checkImports(tree.root)).toEqual(["no module was seen: the check did not work"]);
  });
});
