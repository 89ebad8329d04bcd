import { argv, cwd } from "node:process";

/**
 * Runs a check over the repository in `argv[2]`, or here; prints each problem on a line of its own, and
 * the exit code is 1 if there was one. A check that looked at nothing has a problem: it says so itself.
 */
export async function reportProblems(
  check: (root: string) => readonly string[] | Promise<readonly string[]>,
): Promise<void> {
  const problems = await check(argv[2] ?? cwd());
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
}
