import { execFile } from "node:child_process";
import { chownSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Program, unprivileged, type User } from "./files.ts";

/** What differs between the servers. */
export interface Kind {
  readonly name: "nats" | "redis" | "postgres";
  readonly program: string;
  /** What the program is called in the package. */
  readonly unpacked: string;
  /** As what it has to be called, where it is what it is called as. */
  readonly argv0?: string;
  /** Where it may be, beside the search path. */
  readonly folders: readonly string[];
  /** The Debian package to install, and which of those it brings hold the server. */
  readonly package: string;
  readonly pattern: string;
  /** As whom it runs; undefined: as us. */
  readonly user?: () => User | undefined;
  /** Makes ready an empty folder. */
  readonly prepare?: (program: Program, folder: string) => Promise<void>;
  readonly args: (port: number, folder: string) => string[];
  readonly url: (port: number) => string;
  /** What a client says first, and with what a server that is ready answers. */
  readonly hello: Uint8Array;
  readonly ready: RegExp;
}

const nats: Kind = {
  name: "nats",
  program: "nats-server",
  unpacked: "nats-server",
  folders: [],
  package: "nats-server",
  pattern: "nats-server",
  args: (port, folder) => ["-a", "127.0.0.1", "-p", `${port}`, "-js", "-sd", folder],
  url: (port) => `nats://127.0.0.1:${port}`,
  hello: Buffer.alloc(0),
  ready: /^INFO /,
};

const redis: Kind = {
  name: "redis",
  program: "redis-server",
  // In the package, the server is a link that its installation makes.
  unpacked: "redis-check-rdb",
  argv0: "redis-server",
  folders: [],
  package: "redis-server",
  pattern: "redis-tools",
  args: (port, folder) =>
    `--bind 127.0.0.1 --port ${port} --dir ${folder} --save --appendonly yes`
      .split(" ")
      .flatMap((arg) => (arg === "--save" ? [arg, ""] : [arg])),
  url: (port) => `redis://127.0.0.1:${port}`,
  hello: Buffer.from("PING\r\n"),
  ready: /^\+PONG/,
};

const postgres: Kind = {
  name: "postgres",
  program: "postgres",
  unpacked: "postgres",
  folders: ["/usr/lib/postgresql/*/bin"],
  package: "postgresql",
  pattern: "postgresql-[0-9]+",
  user: unprivileged,
  async prepare({ bin, env }, folder) {
    const user = unprivileged();
    if (user !== undefined) chownSync(folder, user.uid, user.gid);
    const args = ["-D", folder, "-A", "trust", "-U", "sluice", "-E", "UTF8", "--locale=C"];
    const options = { env, cwd: "/", ...user };
    await promisify(execFile)(join(bin, "initdb"), [...args, "--no-sync"], options);
  },
  args: (port, folder) => [
    ...["-D", folder, "-p", `${port}`, "-c", "listen_addresses=127.0.0.1"],
    // What a killed process wrote is safe without it; what a machine without power wrote is not tested here.
    ...["-c", "fsync=off", "-c", "unix_socket_directories=", "-c", "jit=off"],
  ],
  url: (port) => `postgres://sluice@127.0.0.1:${port}/postgres`,
  hello: startup("user\0sluice\0database\0postgres\0\0"),
  ready: /^R/,
};

/** The first message of a Postgres client. */
function startup(parameters: string): Uint8Array {
  const message = Buffer.alloc(8 + parameters.length);
  message.writeInt32BE(message.length);
  message.writeInt32BE(196_608, 4);
  message.write(parameters, 8);
  return message;
}

/** The servers, by name. */
export const kinds: { readonly [N in Kind["name"]]: Kind } = { nats, redis, postgres };
