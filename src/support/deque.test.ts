import { queryObjects } from "node:v8";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Deque } from "./deque.ts";

type Step =
  | { readonly what: "push" | "unshift" | "shift"; readonly times: number }
  | { readonly what: "clear" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      what: fc.constantFrom("push", "unshift", "shift"),
      times: fc.integer({ min: 1, max: 150 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ what: "clear" as const }) },
);

describe("Deque", () => {
  it("behaves as an array does, whatever is done to it", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40, size: "max" }), (steps) => {
        const deque = new Deque<number>();
        let model: number[] = [];
        let next = 0;
        for (const step of steps) {
          if (step.what === "clear") {
            deque.clear();
            model = [];
          } else {
            for (let time = 0; time < step.times; time++) {
              if (step.what === "shift") expect(deque.shift()).toBe(model.shift());
              else {
                deque[step.what](next);
                model[step.what](next++);
              }
            }
          }
          expect(deque.length).toBe(model.length);
          expect([...deque]).toEqual(model);
        }
      }),
    );
  });

  it("has nothing outside of its length", () => {
    const deque = new Deque<string>();
    expect([deque.at(0), deque.shift()]).toEqual([undefined, undefined]);
    deque.push("b");
    deque.unshift("a");
    expect([-1, 0, 1, 2, NaN].map((index) => deque.at(index))).toEqual([
      undefined,
      "a",
      "b",
      undefined,
      undefined,
    ]);
  });

  it("holds undefined as an element", () => {
    const deque = new Deque<undefined>();
    deque.push(undefined);
    expect([...deque]).toEqual([undefined]);
  });

  it("does not keep alive what was taken out", () => {
    class Element {}
    const deque = new Deque<Element>();
    for (let count = 0; count < 20; count++) deque.push(new Element());
    while (deque.length > 5) deque.shift();
    expect(queryObjects(Element, { format: "count" })).toBe(5);
    expect(deque.length).toBe(5);
  });

  it("visits what is pushed during iteration", () => {
    const deque = new Deque<number>();
    deque.push(1);
    const seen: number[] = [];
    for (const element of deque) {
      seen.push(element);
      if (element < 20) deque.push(element + 1);
    }
    expect(seen).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  });
});
