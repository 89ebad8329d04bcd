import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { execPath } from "node:process";
import ts from "typescript";
import { run } from "./command.ts";
import { compilerOptions } from "./compiler.ts";
import { sourceCondition } from "./package.ts";
import { reportProblems } from "./problems.ts";

/** The longest that an example may run. */
const limitMs = 20_000;

interface Example {
  /** Where it stands: file and line. */
  readonly at: string;
  /** The file that it was written to. */
  readonly file: string;
  /** Compiled only, since it does not end by itself: the fence says `ts no-run`. */
  readonly compiledOnly: boolean;
}

/**
 * Takes every TypeScript block out of the docstrings in `src/`, README.md and `docs/` (but `docs/adr/`, which
 * tells of its day), compiles all, runs each, and tells which fail.
 */
export async function checkExamples(root: string): Promise<string[]> {
  // Within the repository, so that its package can be imported by name.
  mkdirSync(join(root, ".cache"), { recursive: true });
  const folder = mkdtempSync(join(root, ".cache/doc-examples-"));
  try {
    return await failures(root, extract(root, folder), {
      // All of them load the same sources, which are compiled once.
      NODE_COMPILE_CACHE: join(folder, "compiled"),
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function failures(
  root: string,
  examples: readonly Example[],
  env: Readonly<Record<string, string>>,
): Promise<string[]> {
  const broken = compile(root, examples);
  const problems = [...broken.values()].flat();
  const queue = examples.filter(({ file, compiledOnly }) => !compiledOnly && !broken.has(file));
  const runNext = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const args = [`--conditions=${sourceCondition}`, next.file];
      const { code, said } = await run(execPath, args, { cwd: root, timeoutMs: limitMs, env });
      const end = code === null ? `did not end within ${limitMs} ms` : `ended with ${code}`;
      if (code !== 0) problems.push(`${next.at}: ${end}\n${said.trimEnd()}`);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, runNext));
  return problems.toSorted();
}

const fence = /^(?<indent>[ \t]*(?:\* )?)```ts(?<flag> no-run)?\n(?<code>.*?)^\k<indent>```$/gms;

function extract(root: string, folder: string): Example[] {
  const files = ["README.md", "src/**/*.ts", "docs/**/*.md"].flatMap((glob) =>
    globSync(glob, { cwd: root, exclude: ["**/*.test.ts", "docs/adr/**"] }).toSorted(),
  );
  return files.flatMap((source) => {
    const text = readFileSync(join(root, source), "utf8");
    return [...text.matchAll(fence)].map((match) => {
      const { indent = "", flag, code = "" } = match.groups ?? {};
      const line = text.slice(0, match.index).split("\n").length;
      const file = join(folder, `${source.replace(/\W/g, "-")}-${line}.ts`);
      // As many lines above it as in its source, so that what is said of a line is true there.
      const lines = code
        .split("\n")
        .map((text) => text.slice(Math.min(indent.length, text.length)));
      writeFileSync(file, `${"\n".repeat(line)}${lines.join("\n")}`);
      return { at: `${source}:${line}`, file, compiledOnly: flag !== undefined };
    });
  });
}

/** What the compiler says, by file. */
function compile(root: string, examples: readonly Example[]): Map<string, string[]> {
  const program = ts.createProgram(
    examples.map(({ file }) => file),
    {
      ...compilerOptions(root),
      declaration: false,
      isolatedDeclarations: false,
      moduleDetection: ts.ModuleDetectionKind.Force,
    },
  );
  const broken = new Map<string, string[]>();
  for (const { at, file } of examples) {
    const source = program.getSourceFile(file);
    const said = ts.getPreEmitDiagnostics(program, source).map(({ start = 0, messageText }) => {
      const line = source ? source.getLineAndCharacterOfPosition(start).line + 1 : 0;
      return `${at.replace(/\d+$/, String(line))}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
    });
    if (said.length > 0) broken.set(file, said);
  }
  return broken;
}

if (import.meta.main) await reportProblems(checkExamples);
