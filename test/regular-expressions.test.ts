// Every regular expression of the sources, against texts that make bad ones slow (R82).
import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import ts from "typescript";
import { score } from "./scoreboard.ts";

const root = resolve(import.meta.dirname, "..");

interface Found {
  readonly where: string;
  readonly pattern: RegExp;
}

/** A text as it stands in a source; a word for what is put in. */
function textOf(node: ts.Node): string | undefined {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return undefined;
  return node.head.text + node.templateSpans.map(({ literal }) => `word${literal.text}`).join("");
}

/** The literals of a source, and what is given to `new RegExp`. */
function patternsOf(file: string, text: string): Found[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found: Found[] = [];
  const add = (node: ts.Node, pattern: RegExp): void => {
    const { line } = source.getLineAndCharacterOfPosition(node.getStart());
    found.push({ where: `${file}:${line + 1}: ${pattern}`, pattern });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) {
      const end = node.text.lastIndexOf("/");
      add(node, new RegExp(node.text.slice(1, end), node.text.slice(end + 1)));
    } else if (
      (ts.isNewExpression(node) || ts.isCallExpression(node)) &&
      node.expression.getText() === "RegExp"
    ) {
      const [pattern, flags] = node.arguments ?? [];
      const text = pattern === undefined ? undefined : textOf(pattern);
      if (text === undefined)
        throw new Error(`${file}: a regular expression that cannot be read: ${node.getText()}`);
      add(node, new RegExp(text, flags === undefined ? "" : textOf(flags)));
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** What a pattern is made of, as pieces to repeat: its characters, its literal runs, and a sign of each class. */
function pieces({ source }: RegExp): string[] {
  const plain = source
    .replaceAll(/\\[dwsbDWSB]|\\u\{?[0-9a-f]+\}?|\\x../gi, " ")
    .replaceAll("\\", "");
  const runs = plain.match(/[\w./:@%,;=+ -]+/g) ?? [];
  const signs = "a0 ._-/:,;=[]{}()\"'\\%&?#*\n\t\0é".split("");
  return [
    ...new Set([...signs, ...runs, ...plain.split(""), ...signs.map((sign) => `a${sign}`)]),
  ].slice(0, 120);
}

/** A text of about so many characters; the end is one that no pattern likes. */
const hostile = (piece: string, length: number): string =>
  `${piece.repeat(Math.ceil(length / piece.length))}\u0001`;

/** How long a pattern takes to look through a text, the best of three, in ms. */
function time(pattern: RegExp, text: string): number {
  let best = Infinity;
  for (let n = 0; n < 3; n++) {
    pattern.lastIndex = 0;
    const start = performance.now();
    if (pattern.global) for (const _match of text.matchAll(pattern));
    else pattern.test(text);
    best = Math.min(best, performance.now() - start);
    if (best < 0.5) break;
  }
  return best;
}

/** What makes it slow: a text of twice the length takes far more than twice as long. */
function slowOn(pattern: RegExp): string | undefined {
  for (const piece of pieces(pattern)) {
    // Short first: one that doubles with each character never comes back from the long one.
    for (const [length, most] of [
      [16, 8],
      [20, 8],
      [24, 8],
      [28, 8],
      [40, 8],
      [1_500, 15],
      [20_000, 60],
    ] as const)
      if (time(pattern, hostile(piece, length)) > most) return piece;
  }
  return undefined;
}

const found = globSync("src/**/*.ts", { cwd: root })
  .filter((file) => !file.endsWith(".test.ts"))
  .flatMap((file) => patternsOf(file, readFileSync(join(root, file), "utf8")));

describe("the regular expressions of the sources", () => {
  it("take linear time, whatever they are given (R82)", { timeout: 120_000 }, () => {
    expect(found.length).toBeGreaterThan(10);
    const slow = found.flatMap(({ where, pattern }) => {
      const piece = slowOn(pattern);
      return piece === undefined ? [] : [`${where} on ${JSON.stringify(piece)}`];
    });
    score("R82", "patterns that are super-linear", `${slow.length} of ${found.length}`);
    expect(slow).toEqual([]);
  });

  it.each(["^(a+)+$", "^(\\w|a)*!", "\\s+$", "^(?:[^/]*/?)*x$", "(.*),(.*),(.*)x"])(
    "that are bad are found: %s",
    (source) => expect(slowOn(new RegExp(source))).toBeDefined(),
  );
});
