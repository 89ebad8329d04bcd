import { describe, expect, it } from "vitest";
import { type SystemReadings, parseNetwork, readSystem, sample } from "./system-metrics.ts";

const first: SystemReadings = {
  atMs: 1_000,
  cores: 4,
  cpuBusyMs: 10_000,
  cpuTotalMs: 40_000,
  memoryFreeBytes: 25,
  memoryTotalBytes: 100,
  load: 1.234,
  network: { receivedBytes: 5_000, sentBytes: 1_000 },
};

describe("sample", () => {
  it("gives averages since the start of the machine at first, and no rates", () => {
    expect(sample(first)).toEqual({ cpuPercent: 25, memoryPercent: 75, load: 1.23 });
  });

  it("gives what happened since the sample before", () => {
    const next = {
      ...first,
      atMs: 1_500,
      cpuBusyMs: 11_000,
      cpuTotalMs: 42_000,
      network: { receivedBytes: 6_000, sentBytes: 1_250 },
    };
    expect(sample(next, first)).toEqual({
      cpuPercent: 50,
      memoryPercent: 75,
      load: 1.23,
      inKBps: 2,
      outKBps: 0.5,
    });
  });

  it("stays within bounds when counters go back or no time has passed", () => {
    const next = { ...first, cpuBusyMs: 0, network: { receivedBytes: 0, sentBytes: 0 } };
    expect(sample(next, first)).toMatchObject({
      cpuPercent: 0,
      inKBps: 0,
      outKBps: 0,
    });
    expect(sample({ ...first, memoryTotalBytes: 0 })).toMatchObject({ memoryPercent: 0 });
  });

  it("leaves the network out where it cannot be read", () => {
    expect(sample({ ...first, network: undefined }, first)).not.toHaveProperty("outKBps");
  });
});

describe("parseNetwork", () => {
  it("sums all interfaces but loopback", () => {
    const text = [
      "Inter-|   Receive                                                |  Transmit",
      " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed",
      "    lo:  999999     10    0    0    0     0          0         0   999999      10    0    0    0     0       0          0",
      "  eth0: 1000      5    0    0    0     0          0         0     200       4    0    0    0     0       0          0",
      " wlan0:23 1 0 0 0 0 0 0 4 1 0 0 0 0 0 0",
      "",
    ].join("\n");
    expect(parseNetwork(text)).toEqual({ receivedBytes: 1_023, sentBytes: 204 });
  });
});

describe("readSystem", () => {
  it("reads this machine", async () => {
    const readings = await readSystem(7);
    expect(readings.atMs).toBe(7);
    expect(readings.cores).toBeGreaterThan(0);
    expect(readings.cpuTotalMs).toBeGreaterThan(readings.cpuBusyMs);
    expect(readings.memoryTotalBytes).toBeGreaterThan(readings.memoryFreeBytes);
    const later = sample(await readSystem(8), readings);
    expect(later.cpuPercent).toBeLessThanOrEqual(100);
  });
});
