import { describe, expect, it } from "vitest";
import { NatsTopic } from "./nats-topic.ts";

const batch = (life: string, first: number, count = 1) => ({
  life,
  first,
  before: (first - 1) * 10,
  bytes: count * 10,
  entries: Array.from({ length: count }, () => "x"),
});

describe("NatsTopic", () => {
  it("knows where the topic ends, by whichever message came last", () => {
    const topic = new NatsTopic(10);
    expect(topic.end).toBeUndefined();
    topic.saw(batch("a", 1, 3), 7);
    expect(topic.end).toEqual({ life: "a", last: 3, total: 30, sequence: 7 });
    topic.saw(batch("a", 4), 9);
    expect(topic.saw(batch("a", 1, 3), 7)).toEqual({ life: "a", last: 3, total: 30, sequence: 7 });
    expect(topic.end).toEqual({ life: "a", last: 4, total: 40, sequence: 9 });
    topic.forget();
    expect([topic.end, topic.before(4)]).toEqual([undefined, undefined]);
  });

  it("remembers at most 64 places, and leads to one at or before an offset", () => {
    const topic = new NatsTopic(1);
    for (let n = 1; n <= 100; n++) topic.saw(batch("a", n), 1_000 + n);
    expect([topic.before(100), topic.before(200), topic.before(37)]).toEqual([1_100, 1_100, 1_037]);
    expect(topic.before(36)).toBeUndefined();
  });

  it("keeps places apart, so that they cover twice what is kept", () => {
    const topic = new NatsTopic(320);
    for (let n = 1; n <= 640; n++) topic.saw(batch("a", n), n);
    expect([topic.before(640), topic.before(25), topic.before(1)]).toEqual([631, 21, 1]);
  });

  it("forgets the places of a life that is over, and does not go back to one", () => {
    const topic = new NatsTopic(10);
    topic.saw(batch("a", 1), 5);
    topic.saw(batch("b", 1), 9);
    expect(topic.before(1)).toBe(9);
    topic.saw(batch("a", 2), 6);
    expect([topic.end?.life, topic.before(2)]).toEqual(["b", 9]);
  });
});
