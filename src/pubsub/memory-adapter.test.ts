import { describe, expect, it } from "vitest";
import { adapterSuite, memoryHub, type MemoryHubOptions } from "../testing/index.ts";

const opened = (options: MemoryHubOptions) => () => {
  const hub = memoryHub(options);
  return {
    adapter: () => hub.adapter,
    outage: { stop: async () => hub.stop(), start: async () => hub.start() },
  };
};

describe("memoryHub (L113, L115)", () => {
  it.each(adapterSuite({ open: opened({}) }))("$name", async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });

  it.each(adapterSuite({ open: opened({ maxDelayMs: 20 }), seeds: 5 }))(
    "delayed, simulated: $name",
    async ({ run }) => {
      await expect(run()).resolves.toBeUndefined();
    },
  );
});

describe("adapterSuite", () => {
  it.each([{ drop: 0.05 }, { double: 0.05 }])(
    "finds the fault of a hub with %o",
    async (faults) => {
      const cases = adapterSuite({ open: opened(faults), seeds: 1, outages: false });
      const results = await Promise.allSettled(cases.map(({ run }) => run()));
      const found = results.filter(({ status }) => status === "rejected").length;
      expect(found).toBeGreaterThanOrEqual(5);
    },
  );
});
