import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Places } from "./places.ts";

describe("Places", () => {
  it("are a map by topic, however many there are", () => {
    const topic = fc.integer({ min: 0, max: 20 }).map(String);
    const step = fc.record({ topic, sets: fc.boolean(), n: fc.nat() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const places = new Places<{ readonly topic: string; readonly n: number }>();
        const model = new Map<string, { readonly topic: string; readonly n: number }>();
        for (const { topic: name, sets, n } of steps) {
          if (sets) {
            places.set({ topic: name, n });
            model.set(name, { topic: name, n });
          } else {
            places.delete(name);
            model.delete(name);
          }
          expect(places.get(name)).toEqual(model.get(name));
          expect(places.size).toBe(model.size);
        }
        expect(places.values()).toEqual([...model.values()]);
      }),
    );
  });

  it("may be changed while they are gone through", () => {
    const places = new Places<{ readonly topic: string }>();
    for (const topic of ["a", "b", "c"]) places.set({ topic });
    const seen: string[] = [];
    for (const { topic } of places.values()) {
      places.delete(topic);
      seen.push(topic);
    }
    expect([seen, places.size]).toEqual([["a", "b", "c"], 0]);
  });
});
