import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { reportProblems } from "./problems.ts";

/** Lines that a file may have at most; longer ones stand in long-files.json, each with its reason. */
const limits = [
  { files: "{src,test,bench,scripts}/**/*.{ts,js,css,html}", lines: 400 },
  { files: "examples/**/*.ts", lines: 120 },
];

/** A lint rule silenced in place, and its reason: behind it, or the comment right above. */
const silence = /\/[/*] (?:oxlint|eslint)-disable/;
const reason = /-- \S+ \S+/;

/** Every file that is too long, or silences a check without saying why. */
export function checkFiles(root: string): string[] {
  const reasons = JSON.parse(
    readFileSync(join(root, "scripts/long-files.json"), "utf8"),
  ) as Readonly<Record<string, string>>;
  const stale = new Set(Object.keys(reasons));
  const problems: string[] = [];
  let seen = 0;
  for (const { files, lines: limit } of limits) {
    for (const file of globSync(files, { cwd: root, exclude: ["**/node_modules/**"] }).toSorted()) {
      seen += 1;
      const lines = readFileSync(join(root, file), "utf8").trimEnd().split("\n");
      if (lines.length > limit && !(stale.delete(file) && (reasons[file] ?? "").length > 20))
        problems.push(
          `${file}: ${lines.length} lines, at most ${limit} (or a reason in scripts/long-files.json)`,
        );
      for (const [index, line] of lines.entries())
        if (silence.test(line) && !reason.test(line) && !/^\s*\/\/ /.test(lines[index - 1] ?? ""))
          problems.push(`${file}:${index + 1}: silences a check without its reason (\`-- why\`)`);
    }
  }
  for (const file of stale)
    problems.push(`${file}: short enough, or gone; take it out of scripts/long-files.json`);
  return seen === 0 ? ["no file was seen: the check did not work"] : problems;
}

if (import.meta.main) await reportProblems(checkFiles);
