// `npm run rules`: which test proves which row of the two pages of rules; `--strict` fails if one has none.
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { argv, cwd } from "node:process";
import ts from "typescript";

/** The families of rows that a test or a reason is asked for, each with its ranges of numbers. */
const families = {
  G: [[1, 122]],
  S: [[1, 124]],
  D: [[1, 9]],
  B: [[1, 11]],
  P: [[1, 14]],
  BU: [[1, 10]],
  CS: [[1, 44]],
  O: [[1, 34]],
  E: [[1, 23]],
  R: [
    [1, 33],
    [50, 82],
  ],
  C: [
    [1, 21],
    [30, 48],
    [50, 52],
    [60, 73],
    [80, 93],
    [100, 115],
    [120, 124],
    [130, 136],
  ],
  L: [[1, 136]],
} as const;

const pages = ["docs/reference/rules.md", "docs/reference/channel-rules.md"];
const leftOutPage = "docs/reference/rules-left-out.md";

/** A test that cites rows. */
export interface Citation {
  readonly name: string;
  /** Where it stands: file and line. */
  readonly place: string;
}

/** What is known of the rows, and what is wrong with that. */
export interface Rules {
  /** Every row of the families, in order, with the tests that cite it. */
  readonly rows: ReadonlyMap<string, readonly Citation[]>;
  readonly leftOut: ReadonlySet<string>;
  /** Rows with neither a test nor a reason. */
  readonly missing: readonly string[];
  readonly problems: readonly string[];
}

const row = String.raw`(BU|CS|[GSDBPOERCL])(\d+)`;
const citation = new RegExp(String.raw`\b${row}(?:[–-](?:${row}|(\d+)))?\b`, "g");
/** A name in a table of cases: rows, then a colon. */
const named = new RegExp(String.raw`^${row}(?:[–-]\w+)?(?:, ?${row}(?:[–-]\w+)?)*:`);

/** The rows that a text cites, ranges written out. */
export function rowsIn(text: string): string[] {
  return [...text.matchAll(citation)].flatMap(([, family = "", first, other, end, short]) => {
    const from = Number(first);
    const to = other === undefined || other === family ? Number(end ?? short ?? first) : from;
    return Array.from({ length: Math.max(to - from, 0) + 1 }, (_, n) => `${family}${from + n}`);
  });
}

/** Looks at the names of all tests, and at the two pages. */
export function findRules(root: string): Rules {
  const rows = new Map<string, Citation[]>(
    Object.entries(families).flatMap(([family, spans]) =>
      spans.flatMap(([first, last]) =>
        Array.from({ length: last - first + 1 }, (_, n): [string, Citation[]] => [
          `${family}${first + n}`,
          [],
        ]),
      ),
    ),
  );
  const listed = pages.flatMap((page) => firstCells(root, page));
  const leftOut = new Set(firstCells(root, leftOutPage));
  const problems: string[] = [];
  for (const file of globSync("{src,test,examples}/**/*.ts", { cwd: root }).toSorted()) {
    for (const test of testsIn(root, file)) {
      for (const cited of new Set(rowsIn(test.name))) {
        rows.get(cited)?.push(test);
        if (!listed.includes(cited))
          problems.push(`${test.place}: ${cited} is in none of ${pages.join(", ")}`);
      }
    }
  }
  for (const cited of new Set(listed))
    if (listed.indexOf(cited) !== listed.lastIndexOf(cited))
      problems.push(`${cited} stands twice in ${pages.join(", ")}`);
  for (const [known, tests] of rows) {
    if (!listed.includes(known)) problems.push(`no line for ${known} in ${pages.join(", ")}`);
    if (leftOut.has(known) && tests.length > 0)
      problems.push(`${leftOutPage}: ${known} is tested at ${tests[0]!.place}`);
  }
  const missing = [...rows.keys()].filter(
    (known) => rows.get(known)!.length === 0 && !leftOut.has(known),
  );
  return { rows, leftOut, missing, problems };
}

/** The rows in the first cells of a page's tables. */
function firstCells(root: string, file: string): string[] {
  if (!existsSync(join(root, file))) return [];
  const text = readFileSync(join(root, file), "utf8");
  return [...text.matchAll(/^\| *([^|]+?) *\|/gm)].flatMap(([, cell = ""]) => rowsIn(cell));
}

/** The names of the tests in a file that cite rows: of `it`, `test` and `describe`, and of tables of cases. */
function testsIn(root: string, file: string): Citation[] {
  const text = readFileSync(join(root, file), "utf8");
  if (rowsIn(text).length === 0) return [];
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest);
  const found: Citation[] = [];
  const visit = (node: ts.Node, title: boolean): void => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)) {
      const name = node.getText(source).slice(1, -1);
      if (title ? rowsIn(name).length > 0 : named.test(name)) {
        const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
        found.push({ name, place: `${file}:${line + 1}` });
      }
    }
    const words = ts.isCallExpression(node) ? wordsOf(node.expression) : [];
    const isTest = ["it", "test", "describe"].includes(words[0] ?? "");
    if (isTest && (words.includes("skip") || words.includes("todo"))) return;
    const titled = isTest ? (node as ts.CallExpression).arguments[0] : undefined;
    ts.forEachChild(node, (child) => visit(child, child === titled));
  };
  visit(source, false);
  return found;
}

/** The names that lead to a call: `it.each(…)("…")` is `it`, `each`. */
function wordsOf(callee: ts.Expression): string[] {
  if (ts.isIdentifier(callee)) return [callee.text];
  if (ts.isPropertyAccessExpression(callee))
    return [...wordsOf(callee.expression), callee.name.text];
  if (ts.isCallExpression(callee)) return wordsOf(callee.expression);
  return ts.isTaggedTemplateExpression(callee) ? wordsOf(callee.tag) : [];
}

/** Adjacent numbers as ranges. */
function ranges(rows: readonly string[]): string {
  const runs: string[][] = [];
  for (const next of rows) {
    const [family, number] = [next.replace(/\d+/, ""), Number(next.replace(/\D+/, ""))];
    if (runs.at(-1)?.at(-1) === `${family}${number - 1}`) runs.at(-1)!.push(next);
    else runs.push([next]);
  }
  return runs
    .map((run) => (run.length > 2 ? `${run[0]}–${run.at(-1)}` : run.join(", ")))
    .join(", ");
}

function report({ rows, leftOut, missing, problems }: Rules): void {
  for (const [known, tests] of rows) {
    for (const { name, place } of tests) console.info(`${known.padEnd(5)} ${place}  ${name}`);
    if (leftOut.has(known)) console.info(`${known.padEnd(5)} left out`);
  }
  console.info();
  for (const family of Object.keys(families)) {
    const of = [...rows].filter(([known]) => known.replace(/\d+/, "") === family);
    const tested = of.filter(([, tests]) => tests.length > 0).length;
    const lacking = missing.filter((known) => known.replace(/\d+/, "") === family);
    const out = of.filter(([known]) => leftOut.has(known)).length;
    const line = `${family.padEnd(2)} ${of.length} rows: ${tested} tested, ${out} left out`;
    console.info(
      lacking.length === 0 ? line : `${line}, ${lacking.length} missing: ${ranges(lacking)}`,
    );
  }
  for (const problem of problems) console.error(problem);
  const tested = [...rows.values()].filter((tests) => tests.length > 0).length;
  console.info(
    `${rows.size} rows: ${tested} tested, ${leftOut.size} left out, ${missing.length} missing; ${problems.length} problems`,
  );
}

if (import.meta.main) {
  const strict = argv.includes("--strict");
  const rules = findRules(argv.slice(2).find((given) => !given.startsWith("--")) ?? cwd());
  report(rules);
  if (strict && rules.missing.length + rules.problems.length > 0) process.exitCode = 1;
}
