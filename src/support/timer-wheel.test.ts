import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TimerWheel, type TimerEntry } from "./timer-wheel.ts";

function fired(wheel: TimerWheel<string>, nowMs: number): string[] {
  const values: string[] = [];
  wheel.advance(nowMs, (value) => values.push(value));
  return values;
}

const delay = fc.oneof(
  fc.integer({ min: -5, max: 40 }),
  fc.integer({ min: 0, max: 300 }).map((hundredths) => hundredths / 100),
  fc.integer({ min: 0, max: 5_000 }).map((tenths) => tenths / 10),
  fc.integer({ min: 0, max: 10 ** 6 }),
  fc.integer({ min: 0, max: 5_300 }).map((exponent) => 2 ** (exponent / 100)),
  fc.constantFrom(
    31,
    32,
    1_023,
    1_024,
    2 ** 30 - 1,
    2 ** 30,
    2 ** 35,
    86_400_000,
    30 * 86_400_000,
    2 ** 53,
    Infinity,
  ),
);

type Step =
  | { readonly what: "schedule"; readonly delay: number }
  | { readonly what: "cancel"; readonly which: number }
  | { readonly what: "advance"; readonly delay: number }
  | { readonly what: "next" };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ what: fc.constant("schedule" as const), delay }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("cancel" as const), which: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constant("advance" as const),
      delay: delay.filter(Number.isFinite),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ what: "next" as const }) },
);

describe("TimerWheel", () => {
  it("fires what a sorted list would fire, at the same time and in the same order", () => {
    const start = fc.constantFrom<number>(0, 0.5, 1_000, 1.7e12);
    fc.assert(
      fc.property(
        start,
        fc.boolean(),
        fc.array(step, { maxLength: 80, size: "max" }),
        (startMs, told, steps) => {
          const wheel = new TimerWheel<number>(told ? startMs : 0);
          let model: TimerEntry<number>[] = [];
          const all: TimerEntry<number>[] = [];
          let nowMs = startMs;
          if (!told) wheel.advance(startMs, () => expect.unreachable());
          for (const step of steps) {
            if (step.what === "schedule") {
              const entry = wheel.schedule(nowMs + step.delay, all.length);
              all.push(entry);
              model.push(entry);
              model.sort((one, other) =>
                one.atMs === other.atMs ? one.value - other.value : one.atMs - other.atMs,
              );
            } else if (step.what === "cancel" && all.length > 0) {
              const entry = all[step.which % all.length]!;
              expect(wheel.cancel(entry)).toBe(model.includes(entry));
              model = model.filter((other) => other !== entry);
            } else {
              const next = wheel.nextAt();
              if (step.what === "next")
                nowMs = Math.max(nowMs, next === undefined || next === Infinity ? nowMs : next);
              else if (step.what === "advance") nowMs = Math.max(nowMs, nowMs + step.delay);
              const values: number[] = [];
              wheel.advance(nowMs, (value) => values.push(value));
              expect(values).toEqual(
                model.filter((entry) => entry.atMs <= nowMs).map((entry) => entry.value),
              );
              model = model.filter((entry) => entry.atMs > nowMs);
            }
            expect(wheel.size).toBe(model.length);
            expect(all.filter((entry) => entry.active).length).toBe(model.length);
            const next = wheel.nextAt();
            if (model.length === 0) expect(next).toBeUndefined();
            else expect(next).toBeLessThanOrEqual(model[0]!.atMs);
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it("is empty after as many steps of nextAt as levels, however many timeouts were cancelled", () => {
    fc.assert(
      fc.property(
        fc.array(delay.filter(Number.isFinite), { minLength: 1, maxLength: 50, size: "max" }),
        fc.nat(),
        (delays, kept) => {
          const wheel = new TimerWheel<number>();
          const entries = delays.map((delay, index) => wheel.schedule(delay, index));
          const last = entries[kept % entries.length]!;
          for (const entry of entries) if (entry !== last) wheel.cancel(entry);
          let steps = 0;
          for (let next = wheel.nextAt(); next !== undefined; next = wheel.nextAt(), steps++) {
            wheel.advance(Math.max(0, next), () => {});
          }
          expect(last.active).toBe(false);
          expect(steps).toBeLessThanOrEqual(12);
        },
      ),
    );
  });

  it("says the next deadline exactly when nothing was cancelled", () => {
    fc.assert(
      fc.property(fc.array(delay, { minLength: 1, maxLength: 50, size: "max" }), (delays) => {
        const wheel = new TimerWheel<number>();
        for (const delay of delays) wheel.schedule(delay, 0);
        expect(wheel.nextAt()).toBe(Math.min(...delays));
      }),
    );
  });

  it("says the next deadline exactly within the lowest level, also after cancels", () => {
    const wheel = new TimerWheel<string>();
    const first = wheel.schedule(7.1, "a");
    wheel.schedule(7.4, "b");
    wheel.schedule(7.9, "c");
    wheel.cancel(first);
    expect(wheel.nextAt()).toBe(7.4);
  });

  it("never fires early within a millisecond", () => {
    const wheel = new TimerWheel<string>();
    wheel.schedule(10.75, "b");
    wheel.schedule(10.25, "a");
    expect(fired(wheel, 10.2)).toEqual([]);
    expect(fired(wheel, 10.25)).toEqual(["a"]);
    expect(wheel.nextAt()).toBe(10.75);
    expect(fired(wheel, 10.749)).toEqual([]);
    expect(fired(wheel, 11)).toEqual(["b"]);
  });

  it("keeps the order of insertion for one deadline, also when some came down from higher levels", () => {
    const wheel = new TimerWheel<string>();
    wheel.schedule(5_000, "a");
    fired(wheel, 4_000);
    wheel.schedule(5_000, "b");
    fired(wheel, 4_990);
    wheel.schedule(5_000, "c");
    expect(fired(wheel, 6_000)).toEqual(["a", "b", "c"]);
  });

  it("does not fire what an earlier callback of the same advance cancelled", () => {
    const wheel = new TimerWheel<() => void>();
    const seen: string[] = [];
    wheel.schedule(1, () => {
      seen.push("a");
      expect(wheel.cancel(b)).toBe(true);
      expect(wheel.cancel(c)).toBe(true);
    });
    const b = wheel.schedule(1, () => seen.push("b"));
    const c = wheel.schedule(500, () => seen.push("c"));
    wheel.advance(1_000, (callback) => callback());
    expect([seen, wheel.size]).toEqual([["a"], 0]);
  });

  it("leaves what a callback schedules for a time already due to the next advance, before what is due later", () => {
    const wheel = new TimerWheel<string>();
    wheel.schedule(1, "first");
    wheel.schedule(3, "other");
    const seen: string[] = [];
    wheel.advance(5, (value) => {
      seen.push(value);
      if (value === "first") {
        wheel.schedule(5, "late 2");
        wheel.schedule(2, "late 1");
        wheel.schedule(6, "due at 6");
      }
    });
    expect(seen).toEqual(["first", "other"]);
    expect(wheel.nextAt()).toBe(2);
    expect(fired(wheel, 7)).toEqual(["late 1", "late 2", "due at 6"]);
  });

  it("goes on in the next advance when a callback throws", () => {
    const wheel = new TimerWheel<string>();
    for (const [atMs, value] of [
      [1, "a"],
      [1, "b"],
      [40, "c"],
    ] as const)
      wheel.schedule(atMs, value);
    expect(() =>
      wheel.advance(50, () => {
        throw new Error("broken");
      }),
    ).toThrow("broken");
    expect(fired(wheel, 50)).toEqual(["b", "c"]);
  });

  it("fires nothing when the clock goes back, and refuses a deadline that is not a number", () => {
    const wheel = new TimerWheel<string>(100);
    wheel.schedule(90, "a");
    expect(fired(wheel, 95)).toEqual([]);
    expect(fired(wheel, 100)).toEqual(["a"]);
    expect(() => wheel.schedule(NaN, "b")).toThrow(RangeError);
  });
});
