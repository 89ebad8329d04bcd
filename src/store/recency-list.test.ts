import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RecencyList, type Linked } from "./recency-list.ts";

class Member implements Linked<Member> {
  older: Member | undefined = undefined;
  newer: Member | undefined = undefined;
}

const forward = (list: RecencyList<Member>): Member[] => {
  const found: Member[] = [];
  for (let at = list.oldest; at !== undefined; at = at.newer) found.push(at);
  return found;
};

const backward = (list: RecencyList<Member>): Member[] => {
  const found: Member[] = [];
  for (let at = list.newest; at !== undefined; at = at.older) found.push(at);
  return found;
};

describe("RecencyList", () => {
  it("holds its members by when they were added, whichever of them leave", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 7 }), { maxLength: 60 }), (touched) => {
        const members = Array.from({ length: 8 }, () => new Member());
        const list = new RecencyList<Member>();
        let model: Member[] = [];
        for (const [step, index] of touched.entries()) {
          const member = members[index]!;
          const held = model.includes(member);
          if (held) list.remove(member);
          model = model.filter((other) => other !== member);
          if (!held || step % 3 > 0) {
            list.add(member);
            model.push(member);
          }
          expect(forward(list)).toEqual(model);
          expect(backward(list)).toEqual(model.toReversed());
          expect(list.size).toBe(model.length);
        }
      }),
    );
  });
});
