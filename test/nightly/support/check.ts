import { isDeepStrictEqual } from "node:util";

/** What of a run is as it has to be: what it is, and what it has to be. */
export type Expected = Readonly<Record<string, readonly [is: unknown, hasToBe: unknown]>>;

/** Puts down what is otherwise, and lets the program fail at its end: one row that does not hold hides no other. */
export function check(row: string, where: string, expected: Expected): void {
  for (const [what, [is, hasToBe]] of Object.entries(expected)) {
    if (isDeepStrictEqual(is, hasToBe)) continue;
    console.error(
      `${row} FAILS, ${where}: ${what}: ${JSON.stringify(is)}, has to be ${JSON.stringify(hasToBe)}`,
    );
    process.exitCode = 1;
  }
}
