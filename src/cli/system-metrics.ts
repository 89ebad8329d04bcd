import { readFile } from "node:fs/promises";
import { cpus, freemem, loadavg, totalmem } from "node:os";

/** Counters of the machine at one moment. */
export interface SystemReadings {
  /** Monotonic. */
  readonly atMs: number;
  readonly cores: number;
  /** All cores together, since the start of the machine. */
  readonly cpuBusyMs: number;
  readonly cpuTotalMs: number;
  readonly memoryFreeBytes: number;
  readonly memoryTotalBytes: number;
  /** Average over one minute; 0 where the machine knows none. */
  readonly load: number;
  /** Since the start of the machine, loopback left out; absent where they cannot be read. */
  readonly network: NetworkCounters | undefined;
}

/** What went through the network interfaces. */
export interface NetworkCounters {
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** One message of the demo: what the machine does now. */
export type SystemPayload = {
  /** 0 to 100, all cores together, since the sample before (the first: since the start of the machine). */
  readonly cpuPercent: number;
  /** 0 to 100. */
  readonly memoryPercent: number;
  readonly load: number;
  /** Through the network interfaces, in 1000 bytes per second. */
  readonly inKBps?: number;
  readonly outKBps?: number;
};

/** What `next` shows, with rates since `previous`. */
export function sample(next: SystemReadings, previous?: SystemReadings): SystemPayload {
  const busyMs = next.cpuBusyMs - (previous?.cpuBusyMs ?? 0);
  const totalMs = next.cpuTotalMs - (previous?.cpuTotalMs ?? 0);
  return {
    cpuPercent: percent(busyMs, totalMs),
    memoryPercent: percent(next.memoryTotalBytes - next.memoryFreeBytes, next.memoryTotalBytes),
    load: round(next.load, 2),
    ...networkRates(next, previous),
  };
}

function networkRates(
  next: SystemReadings,
  previous: SystemReadings | undefined,
): Pick<SystemPayload, "inKBps" | "outKBps"> {
  if (next.network === undefined || previous?.network === undefined) return {};
  const elapsedMs = next.atMs - previous.atMs;
  // A counter that goes back was reset: an interface went away.
  const rate = (now: number, before: number): number =>
    elapsedMs > 0 ? round(Math.max(0, now - before) / elapsedMs, 1) : 0;
  return {
    inKBps: rate(next.network.receivedBytes, previous.network.receivedBytes),
    outKBps: rate(next.network.sentBytes, previous.network.sentBytes),
  };
}

function percent(part: number, whole: number): number {
  return whole > 0 ? Math.min(100, Math.max(0, round((100 * part) / whole, 1))) : 0;
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

/** Reads this machine's counters; `atMs` is the caller's monotonic time. */
export async function readSystem(atMs: number): Promise<SystemReadings> {
  const cores = cpus();
  const cpuIdleMs = cores.reduce((sum, { times }) => sum + times.idle, 0);
  const cpuTotalMs = cores.reduce(
    (sum, { times }) => sum + times.user + times.nice + times.sys + times.irq + times.idle,
    0,
  );
  return {
    atMs,
    cores: cores.length,
    cpuBusyMs: cpuTotalMs - cpuIdleMs,
    cpuTotalMs,
    memoryFreeBytes: freemem(),
    memoryTotalBytes: totalmem(),
    load: loadavg()[0] ?? 0,
    network: await readFile("/proc/net/dev", "utf8").then(parseNetwork, () => undefined),
  };
}

/** The text of Linux' `/proc/net/dev`: per interface, received bytes in column 1 and sent bytes in column 9. */
export function parseNetwork(text: string): NetworkCounters {
  let receivedBytes = 0;
  let sentBytes = 0;
  for (const line of text.split("\n")) {
    const [, name, columns] = /^\s*([^:\s]+):\s*(.+)$/.exec(line) ?? [];
    if (name === undefined || name === "lo" || columns === undefined) continue;
    const numbers = columns.trim().split(/\s+/).map(Number);
    receivedBytes += numbers[0] ?? 0;
    sentBytes += numbers[8] ?? 0;
  }
  return { receivedBytes, sentBytes };
}
