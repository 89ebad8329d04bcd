import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";

const run = promisify(execFile);
const here = pathToFileURL(join(import.meta.dirname, "../../src/")).href;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-copies-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A second copy of the package, as another dependency would bring it, of that version. */
function copy(version?: string): string {
  const root = join(folder, version ?? "same");
  for (const layer of ["support", "runtime", "telemetry", "process"])
    cpSync(join(import.meta.dirname, "../../src", layer), join(root, layer), { recursive: true });
  writeFileSync(join(root, "package.json"), '{ "type": "module" }');
  const file = join(root, "runtime/version.ts");
  if (version !== undefined)
    writeFileSync(file, readFileSync(file, "utf8").replace(/"[^"]*"/, JSON.stringify(version)));
  return pathToFileURL(`${root}/`).href;
}

/** Runs a program in which `one` is this copy of the process layer and `two` the other. */
async function together(other: string, program: string): Promise<unknown> {
  const file = join(folder, "program.ts");
  writeFileSync(
    file,
    `import * as one from "${here}process/index.ts";
     import * as two from "${other}process/index.ts";
     import { SluiceError } from "${other}support/index.ts";
     import { currentSystem as systemOfTwo } from "${other}runtime/index.ts";
     import { currentSystem as systemOfOne } from "${here}runtime/index.ts";
     const result = await (async () => { ${program} })();
     console.log(JSON.stringify(result));`,
  );
  const { stdout } = await run(process.execPath, ["--no-warnings", file]);
  return JSON.parse(stdout);
}

it("two copies of one version share the thread: system, names, processes, classes, errors", async () => {
  const result = await together(
    copy(),
    `class Echo extends one.Process {
       say(text: string) { return text + " from " + this.self.pid; }
       whatever() { throw new Error("no"); }
     }
     const name = "echo";
     const echo = await two.start(Echo as never, { name: two.name(name) } as never) as any;
     const said = await one.name<any>(name).call.say("hello");
     const failure = await one.name<any>(name).call.whatever().catch((error: unknown) => error);
     return [systemOfOne() === systemOfTwo(), said, failure instanceof SluiceError, Object.keys(echo.cast)];`,
  );
  expect(result).toEqual([true, "hello from echo#1", true, ["say", "whatever"]]);
});

it("another version is refused, naming both places", async () => {
  const other = copy("9.9.9");
  const result = await together(
    other,
    `systemOfOne();
     const refused = [];
     for (const attempt of [() => systemOfTwo(), () => two.start(class extends two.Process {})]) {
       try { await attempt(); } catch (error) { refused.push(error); }
     }
     const { code, details, message } = refused[1] as any;
     return [refused.length, code, details, message];`,
  );
  const paths = [`${here}runtime/thread.ts`, `${other}runtime/thread.ts`];
  const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
  expect(result).toEqual([
    2,
    "SLUICE_DUPLICATE_RUNTIME",
    { paths },
    `two versions of sluice in one thread: ${version} at ${paths[0]}, 9.9.9 at ${paths[1]}`,
  ]);
});
