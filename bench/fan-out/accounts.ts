// What a server of the fan-out counts of itself, and is asked for by its parent.
import { readFileSync, readdirSync } from "node:fs";
import { Session } from "node:inspector/promises";
import { Socket } from "node:net";

/** Since the last look, but for memory. */
export interface Accounts {
  /** Processor time of all threads, the kernel's share included. */
  readonly cpuMs: number;
  readonly rssBytes: number;
  /** Calls that hand bytes to the kernel. */
  readonly writes: number;
  /** The most of them between two polls, where that was asked for. */
  readonly mostWrites: number;
}

/** Node's own; both of its public forms, `_write` and `_writev`, end here. */
interface Writing {
  _writeGeneric: (this: Writing, ...args: unknown[]) => unknown;
}

let writes = 0;
let inTurn = 0;
let mostWrites = 0;
const socket = Socket.prototype as unknown as Writing;
const write = socket._writeGeneric;
socket._writeGeneric = function (this: Writing, ...args) {
  writes++;
  if (++inTurn > mostWrites) mostWrites = inTurn;
  return write.apply(this, args);
};

/** Linux: nanoseconds that each thread was on a processor. */
function cpuNs(): number {
  let sum = 0;
  for (const task of readdirSync("/proc/self/task"))
    sum += Number(readFileSync(`/proc/self/task/${task}/schedstat`, "utf8").split(" ")[0]);
  return sum;
}

let profiled: Session | undefined;

/** The first time begins a profile, the next gives it. */
async function profile(): Promise<object> {
  if (profiled !== undefined) return (await profiled.post("Profiler.stop")).profile;
  profiled = new Session();
  profiled.connect();
  await profiled.post("Profiler.enable");
  await profiled.post("Profiler.setSamplingInterval", { interval: 200 });
  await profiled.post("Profiler.start");
  return {};
}

/**
 * Answers the parent: `"look"` with the accounts since the last look, `"watch"` by counting writes per turn of the loop,
 * `"profile"` by beginning a profile of the thread, and then with it.
 */
export function accountTo(parent: NodeJS.Process, port: number): void {
  let lastNs = cpuNs();
  let lastWrites = 0;
  parent.on("message", (question) => {
    if (question === "profile") return void profile().then((answer) => parent.send?.(answer));
    if (question === "watch") {
      // Asked anew in each turn, before anything else asks in it: between two of these there is one poll.
      const turn = (): void => {
        inTurn = 0;
        setImmediate(turn);
      };
      mostWrites = 0;
      turn();
    }
    const nowNs = cpuNs();
    const accounts: Accounts = {
      cpuMs: (nowNs - lastNs) / 1e6,
      rssBytes: process.memoryUsage.rss(),
      writes: writes - lastWrites,
      mostWrites,
    };
    parent.send?.(accounts);
    lastWrites = writes;
    lastNs = cpuNs();
  });
  parent.send?.({ port });
}
