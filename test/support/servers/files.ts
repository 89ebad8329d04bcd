import { execFile, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { accessSync, constants, existsSync, globSync, mkdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { Kind } from "./kinds.ts";

/** A server's program: where it is, and what it needs around it. */
export interface Program {
  /** The folder with it and what came with it. */
  readonly bin: string;
  readonly path: string;
  readonly version: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Whom a program runs as, other than us. */
export interface User {
  readonly uid: number;
  readonly gid: number;
}

const root = join(import.meta.dirname, "../../..");

/** Finds the program on the machine, or obtains it without installing anything; else says how to install it. */
export async function program(kind: Kind): Promise<Program> {
  return (process.env["SLUICE_SERVERS"] !== "download" && onMachine(kind)) || downloaded(kind);
}

function onMachine(kind: Kind): Program | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(":"), "/usr/sbin", "/usr/local/sbin"];
  folders.unshift(...kind.folders.flatMap((pattern) => globSync(pattern).toSorted().toReversed()));
  const bin = folders.find((folder) => folder !== "" && isProgram(join(folder, kind.program)));
  return bin === undefined ? undefined : found(kind, bin, {});
}

async function downloaded(kind: Kind): Promise<Program> {
  const folder = join(cache(), kind.name);
  if (!existsSync(folder)) {
    mkdirSync(dirname(folder), { recursive: true });
    const script = join(import.meta.dirname, "download.sh");
    const args = [`${folder}.lock`, "sh", script, folder, kind.pattern, kind.package];
    try {
      await promisify(execFile)("flock", args, { timeout: 240_000 });
    } catch (error) {
      throw new Error(
        `${kind.program} is not on this machine and could not be downloaded. Install it:\n\n` +
          `  apt-get update && apt-get install --no-install-recommends ${kind.package}\n\n` +
          "or leave out what needs servers: SLUICE_SKIP_SERVERS=1",
        { cause: error },
      );
    }
  }
  const [bin] = kind.folders
    .concat("/usr/sbin", "/usr/bin")
    .flatMap((pattern) =>
      globSync(join(folder, pattern)).filter((at) => isProgram(join(at, kind.unpacked))),
    );
  if (bin === undefined) throw new Error(`${folder} holds no ${kind.unpacked}: remove it`);
  const libraries = globSync(join(folder, "{usr/,}lib/*-linux-*")).join(":");
  return found({ ...kind, program: kind.unpacked }, bin, { LD_LIBRARY_PATH: libraries });
}

function found(kind: Kind, bin: string, more: NodeJS.ProcessEnv): Program {
  const env = { PATH: process.env["PATH"], TZ: "UTC", LC_ALL: "C.UTF-8", ...more };
  const path = join(bin, kind.program);
  const { argv0 = path } = kind;
  const said = spawnSync(path, ["--version"], { argv0, env, encoding: "utf8" });
  const version = /\d+\.\d+(\.\d+)?/.exec(said.stdout)?.[0];
  if (version === undefined) throw new Error(`${path} --version: ${said.stdout}${said.stderr}`);
  return { bin, path, version, env };
}

/** In the repository; where others may not look into it, as others must who run a server, in the machine's scratch. */
function cache(): string {
  const own = join(root, ".cache/servers");
  mkdirSync(own, { recursive: true });
  const user = unprivileged();
  const seen =
    user === undefined || spawnSync("test", ["-x", own], { ...user, cwd: "/" }).status === 0;
  const name = createHash("sha256").update(root).digest("hex").slice(0, 12);
  return seen ? own : join(tmpdir(), `sluice-servers-${name}`);
}

/** Whom a program runs as that refuses root; undefined when we are not root. */
export function unprivileged(): User | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = readFileSync("/etc/passwd", "utf8").split("\n");
  const line = ["postgres:", "nobody:"].flatMap((name) =>
    users.filter((user) => user.startsWith(name)),
  )[0];
  const [uid, gid] = (line?.split(":") ?? []).slice(2, 4).map(Number);
  return { uid: uid ?? 65_534, gid: gid ?? 65_534 };
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
