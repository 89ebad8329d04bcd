import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { defaultLimits, limitsOf } from "./limits.ts";

describe("limits", () => {
  it("are safe when nothing is said (3.1)", () => {
    expect(limitsOf()).toEqual(defaultLimits);
    expect(defaultLimits).toMatchObject({
      maxFrameBytes: 65_536,
      maxJsonDepth: 64,
      maxChannels: 100,
      messagesPerSecond: 50,
      messageBurst: 200,
      maxPendingBytes: 1_048_576,
      lowMarkBytes: 262_144,
      idleMs: 60_000,
    });
  });

  it("stand in the documentation, each with its default", () => {
    const page = new URL("../../docs/reference/limits.md", import.meta.url);
    const rows = readFileSync(page, "utf8").matchAll(/^\| `(\w+)` +\| ([\d,]+)( KiB| MiB)? +\|/gm);
    const units: Record<string, number> = { " KiB": 1_024, " MiB": 1_024 ** 2 };
    const documented = [...rows].map(([, name = "", number = "", unit]): [string, number] => [
      name,
      Number(number.replaceAll(",", "")) * (units[unit ?? ""] ?? 1),
    ]);
    expect(Object.fromEntries(documented)).toEqual(defaultLimits);
  });

  it("can be changed one by one", () => {
    expect(limitsOf({ maxChannels: 500 })).toEqual({ ...defaultLimits, maxChannels: 500 });
  });

  it.each([0, -1, 1.5, Number.NaN, Infinity])("cannot be switched off by %d", (value) => {
    expect(() => limitsOf({ maxFrameBytes: value })).toThrow(/^limits\.maxFrameBytes: got /);
  });

  it("keep the low mark below the limit", () => {
    expect(() => limitsOf({ maxPendingBytes: 1_000 })).toThrow(/limits.lowMarkBytes/);
  });
});
