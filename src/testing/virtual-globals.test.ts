import { describe, expect, it } from "vitest";
import { System, type Runnable } from "../runtime/internal.ts";
import { simulate } from "./simulate.ts";

const start = Date.UTC(2020, 0, 1);

describe("the host's globals in a simulation", () => {
  it("tell virtual time", async () => {
    await simulate(
      async ({ advance }) => {
        await advance(1_500);
        expect([Date.now(), performance.now()]).toEqual([start + 1_500, 1_500]);
        expect(new Date().toISOString()).toBe("2020-01-01T00:00:01.500Z");
        expect(new Date(0).getTime()).toBe(0);
        expect(new Date() instanceof Date).toBe(true);
        expect(Date.UTC(2020, 0, 1)).toBe(start);
        expect(Date()).toBe(new Date().toString());
      },
      { seeds: 1 },
    );
  });

  it("wait in virtual time, each timer once, an interval until it is cleared", async () => {
    await simulate(
      async ({ advance }) => {
        const log: string[] = [];
        const say = (what: string): void => void log.push(`${performance.now()} ${what}`);
        setTimeout(say, 30, "timeout");
        clearTimeout(setTimeout(say, 10, "cleared"));
        setImmediate(say, "immediate");
        clearImmediate(setImmediate(say, "cleared"));
        const interval = setInterval(say, 20, "beat");
        await advance(50);
        clearInterval(interval);
        await advance(50);
        expect(log).toEqual(["0 immediate", "20 beat", "30 timeout", "40 beat"]);
      },
      { seeds: 3 },
    );
  });

  it("keep to Node's shape of a timer", async () => {
    await simulate(
      async ({ advance }) => {
        const timer = setTimeout(() => {}, 5);
        expect(timer.unref().ref()).toBe(timer);
        await advance(10);
      },
      { seeds: 1 },
    );
  });

  it.each(["fetch", "WebSocket"] as const)("refuse real I/O: %s", async (what) => {
    await simulate(
      () => {
        const way = globalThis[what] as unknown as new (url: string) => object;
        expect(() => new way("http://localhost")).toThrow(
          expect.objectContaining({ code: "SLUICE_REAL_IO", details: { what } }),
        );
      },
      { seeds: 1 },
    );
  });

  it("are the host's again afterwards", async () => {
    const before = Object.getOwnPropertyDescriptors(globalThis);
    await simulate(() => {}, { seeds: 1 });
    expect(Object.getOwnPropertyDescriptors(globalThis)).toEqual(before);
    expect(Math.abs(Date.now() - start)).toBeGreaterThan(1e9);
    expect(Object.hasOwn(performance, "now")).toBe(false);
  });

  it("are not for a system in real time that goes on beside it", async () => {
    const { queue } = new System();
    let turns = 0;
    let isOver = false;
    const busy: Runnable = {
      queued: false,
      following: undefined,
      run() {
        turns++;
        if (!isOver) queue.ready(busy);
        return 1;
      },
    };
    queue.ready(busy);
    const alarms = Promise.withResolvers<void>();
    queue.runtime.alarm(1, () => void queue.runtime.alarm(1, alarms.resolve));
    try {
      const { seeds } = await simulate(
        async ({ quiet }) => {
          const before = turns;
          while (turns === before) await quiet();
        },
        { seeds: 5 },
      );
      expect(seeds).toBe(5);
      await alarms.promise;
    } finally {
      isOver = true;
    }
  });
});
