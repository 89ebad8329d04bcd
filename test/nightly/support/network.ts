// Machines with lines between them, on this one: network namespaces, and pairs of virtual interfaces that can be cut.
import { execFileSync, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { argv, env, execArgv, execPath, exit } from "node:process";

/** Set where the network is one of our own. */
const mark = "SLUICE_OWN_NETWORK";
/** Nobody has it: what is sent to it is on its way for ever. */
const nobody = "02:00:00:00:00:01";

/**
 * Runs this program in a network of its own, in which it may make machines and lines, and which ends with it: the call returns
 * there alone. Where that cannot be done it fails; `SLUICE_SKIP_NETWORKS=1` leaves out `what`, and says so.
 */
export async function enterOwnNetwork(what: string): Promise<void> {
  if (env[mark] !== undefined) return run("ip", "link", "set", "lo", "up");
  if (env["SLUICE_SKIP_NETWORKS"] === "1") {
    console.warn(`SLUICE_SKIP_NETWORKS=1: NOT TESTED: ${what}`);
    exit();
  }
  const trial = "ip link add trial0 type veth peer name trial1";
  const { status, stderr, error } = spawnSync("unshare", ["--net", "sh", "-c", trial]);
  if (status !== 0)
    throw new Error(
      `${what} needs networks of its own, and none can be made here: ${error?.message ?? String(stderr)}\n` +
        "Run it as root on Linux, with iproute2 and util-linux, or leave it out: SLUICE_SKIP_NETWORKS=1",
    );
  const again = ["--net", execPath, ...execArgv, ...argv.slice(1)];
  const inside = spawn("unshare", again, { stdio: "inherit", env: { ...env, [mark]: "1" } });
  const [code] = (await once(inside, "exit")) as [number | null];
  exit(code ?? 1);
}

/** In which direction nothing passes: from the machine to us, from us to it, or either. */
export type Direction = "from" | "to" | "both";

/** A line between us and a machine. */
export class Line {
  /** Our address, and that of the machine. */
  readonly ours: string;
  readonly theirs: string;
  readonly #us: string;
  readonly #them: string;
  readonly #machine: Machine;

  /** Plugs one in; each machine and each line of it has a number of its own. */
  constructor(machine: Machine, nth: number, index: number) {
    const net = `10.${66 + index}.${nth}`;
    this.ours = `${net}.1`;
    this.theirs = `${net}.2`;
    this.#us = `us${nth}-${index}`;
    this.#them = `them${nth}-${index}`;
    this.#machine = machine;
    const peer = ["peer", "name", this.#them, "netns", String(machine.pid)];
    run("ip", "link", "add", this.#us, "type", "veth", ...peer);
    run("ip", "addr", "add", `${this.ours}/24`, "dev", this.#us);
    run("ip", "link", "set", this.#us, "up");
    machine.run("ip", "addr", "add", `${this.theirs}/24`, "dev", this.#them);
    machine.run("ip", "link", "set", this.#them, "up");
  }

  /** From now on nothing passes in a direction, and nobody is told. */
  swallow(direction: Direction): void {
    const lost = ["lladdr", nobody, "nud", "permanent", "dev"];
    if (direction !== "from") run("ip", "neigh", "replace", this.theirs, ...lost, this.#us);
    if (direction !== "to")
      this.#machine.run("ip", "neigh", "replace", this.ours, ...lost, this.#them);
  }

  /** The plug is pulled: both sides could see it. */
  unplug(): void {
    run("ip", "link", "set", this.#us, "down");
  }

  /** What is more than it carries waits in a short queue, and what is more than that is lost. */
  narrow(rate: string, queueBytes: number): void {
    const shape = `root tbf rate ${rate} burst 2kb limit ${queueBytes}`.split(" ");
    run("tc", "qdisc", "add", "dev", this.#us, ...shape);
    this.#machine.run("tc", "qdisc", "add", "dev", this.#them, ...shape);
  }

  /** There is no such line any more: a namespace goes with the last of its processes, and some time after that. */
  takeAway(): void {
    run("ip", "link", "del", this.#us);
  }

  /** Whatever was done to it is undone. */
  heal(): void {
    run("ip", "link", "set", this.#us, "up");
    run("ip", "neigh", "flush", "dev", this.#us, "nud", "permanent");
    this.#machine.run("ip", "neigh", "flush", "dev", this.#them, "nud", "permanent");
    // A line that is not narrow has nothing to delete.
    spawnSync("tc", ["qdisc", "del", "dev", this.#us, "root"]);
    this.#machine.try("tc", "qdisc", "del", "dev", this.#them, "root");
  }
}

/** A network namespace, which is there as long as we are. */
export class Machine implements Disposable {
  /** To us, and for whatever is to be cut alone. */
  readonly lines: readonly [Line, Line];
  readonly pid: number;
  readonly #holder: ChildProcess;

  private constructor(holder: ChildProcess, nth: number) {
    this.#holder = holder;
    this.pid = holder.pid!;
    this.run("ip", "link", "set", "lo", "up");
    this.lines = [new Line(this, nth, 0), new Line(this, nth, 1)];
  }

  static async plugIn(nth: number): Promise<Machine> {
    // Ends with its input, and so with us.
    const holder = spawn("unshare", ["--net", "sh", "-c", "echo; exec cat"], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    await once(holder.stdout, "data");
    return new Machine(holder, nth);
  }

  /** A command line that runs a program there. */
  enter(...command: readonly string[]): readonly [string, ...string[]] {
    return ["nsenter", `--net=/proc/${this.pid}/ns/net`, "--", ...command];
  }

  run(...command: readonly string[]): void {
    run(...this.enter(...command));
  }

  /** Runs what may fail. */
  try(...command: readonly string[]): void {
    const [program, ...args] = this.enter(...command);
    spawnSync(program, args);
  }

  [Symbol.dispose](): void {
    for (const line of this.lines) line.takeAway();
    this.#holder.stdin!.end();
  }
}

function run(program: string, ...args: readonly string[]): void {
  execFileSync(program, args, { stdio: ["ignore", "ignore", "inherit"] });
}
