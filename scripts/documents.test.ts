import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { defaultLimits } from "sluice/channels";

const root = resolve(import.meta.dirname, "..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");
const pages = globSync(["*.md", "docs/**/*.md", "examples/**/*.md"], { cwd: root });
const decisions = globSync("docs/adr/[0-9]*.md", { cwd: root }).filter(
  (file) => !file.endsWith("0000-template.md"),
);

/** The anchors of a page, as GitHub makes them of its headings. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of text.replace(/^```.*?^```/gms, "").matchAll(/^#+ +(.+?) *$/gm)) {
    const anchor = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-");
    let name = anchor;
    for (let n = 1; anchors.has(name); n++) name = `${anchor}-${n}`;
    anchors.add(name);
  }
  return anchors;
}

describe("the documents", () => {
  it("link to files that there are", () => {
    const dead = pages.flatMap((page) =>
      [...read(page).matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)]
        .map(([, target = ""]) => target)
        .filter((target) => !existsSync(resolve(root, dirname(page), target)))
        .map((target) => `${page}: ${target}`),
    );
    expect(dead).toEqual(["docs/adr/0000-template.md: NNNN-title.md"]);
  });

  it("link to headings that there are", () => {
    const dead = pages.flatMap((page) =>
      [...read(page).matchAll(/\]\(([^)#:]*)#([^)]+)\)/g)]
        .filter(([, target = "", anchor = ""]) => {
          const file = target === "" ? page : join(dirname(page), target);
          return file.endsWith(".md") && !anchorsOf(read(file)).has(anchor);
        })
        .map(([link]) => `${page}: ${link}`),
    );
    expect(dead).toEqual([]);
    // Those of code, of marks, of a heading that comes twice; and none of a comment within code.
    const text = "# A `b-c`, d & e\n## [x](y.md) *z_z*\n## x z_z\n```sh\n# no\n```\n";
    expect([...anchorsOf(text)]).toEqual(["a-b-c-d--e", "x-z_z", "x-z_z-1"]);
  });

  it("list every dependency with what it is for, and no other", () => {
    const manifest = JSON.parse(read("package.json")) as Record<string, Record<string, string>>;
    const named = Object.keys({ ...manifest["dependencies"], ...manifest["devDependencies"] });
    const listed = read("docs/dependencies.md").matchAll(/^\| `(.+?)` +\| \S/gm);
    expect([...listed].map(([, name = ""]) => name).toSorted()).toEqual(named.toSorted());
  });

  it("list every limit of an endpoint with its default", () => {
    const rows = new Map(
      [
        ...read("docs/reference/limits.md").matchAll(/^\| `(\w+)` +\| ([\d,]+)( [KM]iB)? +\|/gm),
      ].map(([, name = "", number = "", unit = ""]) => {
        const times = { "": 1, " KiB": 1_024, " MiB": 1_048_576 }[unit]!;
        return [name, Number(number.replaceAll(",", "")) * times];
      }),
    );
    expect(Object.fromEntries(rows)).toMatchObject({ ...defaultLimits });
  });

  it.each(decisions)("%s is a decision as they are written here", (file) => {
    const text = read(file);
    expect(text.trimEnd().split("\n").length).toBeLessThanOrEqual(60);
    for (const part of ["Status", "Context", "Decision", "Consequences"])
      expect(text).toMatch(new RegExp(`^(?:#+|-|\\*\\*) ?\\**${part}`, "m"));
  });

  it("show every decision in the index, each with a number of its own", () => {
    const index = read("docs/adr/README.md");
    const names = decisions.map((file) => file.replace("docs/adr/", ""));
    expect(names.filter((name) => !index.includes(`(${name})`))).toEqual([]);
    expect(new Set(names.map((name) => name.slice(0, 4))).size).toBe(names.length);
  });
});
