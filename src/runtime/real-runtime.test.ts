import { describe, expect, it } from "vitest";
import { realRuntime } from "./real-runtime.ts";

describe("the real Runtime", () => {
  const runtime = realRuntime();

  it("soon comes before a turn, and a turn lets what waits for the event loop go first", async () => {
    const order: string[] = [];
    await new Promise<void>((resolve) => {
      setImmediate(() => order.push("immediate"));
      runtime.turn(() => {
        order.push("turn");
        resolve();
      });
      runtime.soon(() => order.push("soon"));
    });
    expect(order).toEqual(["soon", "immediate", "turn"]);
  });

  it("an alarm rings once, not before its time, by its own clock", async () => {
    const before = runtime.now();
    await new Promise<void>((resolve) => runtime.alarm(5.5, resolve));
    expect(runtime.now() - before).toBeGreaterThanOrEqual(5);
  });

  it("a cancelled alarm does not ring; to hold one or not is always allowed", async () => {
    let rung = false;
    const alarm = runtime.alarm(1, () => (rung = true));
    alarm.hold(false);
    alarm.hold(true);
    alarm.cancel();
    alarm.cancel();
    await new Promise<void>((resolve) => runtime.alarm(10, resolve));
    expect(rung).toBe(false);
  });

  it("takes a delay beyond what the host's timers take: it rings early rather than at once", async () => {
    let rung = false;
    const alarm = runtime.alarm(2 ** 40, () => (rung = true));
    await new Promise<void>((resolve) => runtime.alarm(5, resolve));
    alarm.cancel();
    expect(rung).toBe(false);
  });

  it("tells chance and the time of day", () => {
    const chance = runtime.random();
    expect(chance >= 0 && chance < 1).toBe(true);
    expect(Math.abs(runtime.wallNow() - Date.now())).toBeLessThan(60_000);
  });
});
