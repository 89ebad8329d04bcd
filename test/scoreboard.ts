// Figures of tests, one JSON line each, for whoever wants to see how far from their bounds things are.
import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const file = join(import.meta.dirname, "../.cache/scoreboard.jsonl");

/** One figure. */
export interface Score {
  /** The rule that it is about: `R52`. */
  readonly row: string;
  readonly what: string;
  /** With its unit. */
  readonly figure: string;
}

/** Puts a figure down, and says it. */
export function score(row: string, what: string, figure: string): void {
  mkdirSync(dirname(file), { recursive: true });
  appendFileSync(file, `${JSON.stringify({ row, what, figure } satisfies Score)}\n`);
  console.info(`${row} ${what}: ${figure}`);
}

/** The last figure of each thing. */
function latest(): readonly Score[] {
  if (!existsSync(file)) return [];
  const scores = readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Score);
  return [...new Map(scores.map((one) => [`${one.row} ${one.what}`, one])).values()].toSorted(
    (one, other) => one.row.localeCompare(other.row, "en", { numeric: true }),
  );
}

if (import.meta.main) {
  const scores = latest();
  if (scores.length === 0) console.info("no figures yet: run the tests");
  else
    console.table(
      Object.fromEntries(scores.map(({ row, what, figure }) => [`${row} ${what}`, figure])),
    );
}
