import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { reportProblems } from "./problems.ts";

const list = "src/support/errors.ts";
const page = "docs/reference/errors.md";

/** Where the closed list of error codes, the page that explains them, and `@throws` in docstrings differ. */
export function checkErrors(root: string): string[] {
  const read = (file: string): string => readFileSync(join(root, file), "utf8");
  const details = /^export interface ErrorDetails \{$(.*?)^\}$/ms.exec(read(list))?.[1] ?? "";
  const codes = matches(details, /^ {2}readonly (SLUICE_\w+):/gm);
  const headings = matches(existsSync(join(root, page)) ? read(page) : "", /^## `(SLUICE_\w+)`$/gm);
  if (codes.length === 0) return [`${list}: no code was seen: the check did not work`];
  const thrown = globSync("src/**/*.ts", { cwd: root }).flatMap((file) =>
    matches(read(file), /@throws.*?(SLUICE_\w+)/g)
      .filter((code) => !codes.includes(code))
      .map((code) => `${file}: @throws ${code}, which is not in ${list}`),
  );
  return [
    ...codes
      .filter((code) => !headings.includes(code))
      .map((code) => `${page}: no heading for ${code}`),
    ...headings
      .filter((code) => !codes.includes(code))
      .map((code) => `${page}: ${code} is not in ${list}`),
    ...headings
      .filter((code, at) => headings.indexOf(code) !== at)
      .map((code) => `${page}: ${code} stands twice`),
    ...thrown.toSorted(),
  ];
}

const matches = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, found = ""]) => found);

if (import.meta.main) await reportProblems(checkErrors);
