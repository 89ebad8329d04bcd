import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";

/** A process and its children: some servers' children lead groups of their own, which no signal to a group reaches. */
export function family(pid: number): number[] {
  return [pid, ...parents().flatMap(([child, parent]) => (parent === pid ? [child] : []))];
}

/** Sends a signal to processes, of which some may have ended. */
export function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}

/** Whether a process is there, and not only its entry in the table. */
export function lives(pid: number): boolean {
  return parents().some(([known]) => known === pid);
}

/** Stops processes, and waits until every thread of them stands still: a signal is on its way for a while. */
export function freeze(pids: readonly number[]): void {
  signal(pids, "SIGSTOP");
  const deadline = performance.now() + 2_000;
  while (!pids.every(standsStill)) {
    if (performance.now() > deadline) throw new Error(`${String(pids)} run on`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
  }
}

function standsStill(pid: number): boolean {
  const tasks = `/proc/${pid}/task`;
  if (!existsSync(tasks)) return true;
  return readdirSync(tasks).every((task) => {
    try {
      return /\) [TtZX] /.test(readFileSync(`${tasks}/${task}/stat`, "utf8"));
    } catch {
      return true;
    }
  });
}

/** Each process, and its parent. */
function parents(): (readonly [number, number])[] {
  if (!existsSync("/proc/self/stat"))
    return execFileSync("ps", ["-Ao", "pid=,ppid="], { encoding: "utf8" })
      .trim()
      .split("\n")
      .map((line) => line.trim().split(/\s+/).map(Number) as [number, number]);
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return state === "Z" ? [] : [[Number(name), Number(parent)] as const];
    } catch {
      return [];
    }
  });
}
