import { describe, expect, it } from "vitest";
import { logSuite } from "../testing/index.ts";
import { MemoryLog } from "./memory-log.ts";

const open = (bounds: object): MemoryLog<string> => new MemoryLog<string>(bounds);

describe("MemoryLog", () => {
  it.each(logSuite({ open }))("$name", async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });

  it.each(logSuite({ open, seeds: 200 }))("simulated: $name", async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});
