import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readMessage, writeMessage, type ReplicaMessage } from "./message.ts";
import { Row } from "./row.ts";

const slice = {
  replica: "a",
  from: 1,
  to: 4,
  rows: [new Row("a", 2, "t", "k", { n: 1 }), new Row("a", 4, "t", "__proto__", { n: 2 }, 1)],
  gone: [[4, 1]] as const,
};
const messages: readonly ReplicaMessage[] = [
  { kind: "beat", from: "a", node: undefined, clocks: [["a", 3]] },
  { kind: "beat", from: "a", node: "n1", clocks: [["__proto__", 0]] },
  { kind: "delta", from: "a", slice },
  { kind: "ask", from: "b", ref: 7, replica: "a", since: 3, page: undefined },
  { kind: "ask", from: "b", ref: 7, replica: "a", since: 3, page: { at: 2, as: 9 } },
  { kind: "give", from: "b", ref: 7, as: 9, slice: { ...slice, gone: undefined } },
  { kind: "bye", from: "a" },
];
const onWire = (message: ReplicaMessage): unknown =>
  JSON.parse(JSON.stringify(writeMessage(message)));

describe("readMessage", () => {
  it.each(messages)("gives back what was written as JSON: $kind (C114)", (message) => {
    expect(readMessage(onWire(message))).toEqual(message);
  });

  it("is total: whatever comes is a message or is ignored, and nothing is thrown (R59)", () =>
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.anything()), (raw) => {
        const kinds = ["beat", "delta", "ask", "give", "bye", "ignored"];
        expect(kinds).toContain(readMessage(raw).kind);
      }),
      { numRuns: 2_000 },
    ));

  it("damage to any field is found, or does no harm (R59)", () =>
    fc.assert(
      fc.property(fc.constantFrom(...messages), fc.jsonValue(), fc.nat(), (message, value, at) => {
        const raw = onWire(message) as { [field: string]: unknown };
        const fields = Object.keys(raw);
        raw[fields[at % fields.length]!] = value;
        const read = readMessage(raw);
        expect(read.kind !== "delta" || read.slice.replica === read.from).toBe(true);
        expect(read.kind !== "give" || read.slice.to >= read.slice.from).toBe(true);
      }),
      { numRuns: 2_000 },
    ));

  it.each([
    ["no object", 7],
    ["unknown kind", { kind: "hello", from: "a" }],
    ["from", { kind: "bye" }],
    ["slice", { ...(onWire(messages[2]!) as object), slice: ["b", 1, 4, [], []] }],
    ["slice", { ...(onWire(messages[2]!) as object), slice: ["a", 1, 4, [], null] }],
    ["slice", { ...(onWire(messages[2]!) as object), slice: ["a", 4, 1, [], []] }],
    ["row", { ...(onWire(messages[2]!) as object), slice: ["a", 1, 4, [[5, "t", "k", {}]], []] }],
    ["meta", { ...(onWire(messages[2]!) as object), slice: ["a", 1, 4, [[2, "t", "k", []]], []] }],
    ["gone", { ...(onWire(messages[2]!) as object), slice: ["a", 1, 4, [], [[2, 2]]] }],
  ])("says what is wrong: %s", (why, raw) => {
    expect(readMessage(raw)).toEqual({ kind: "ignored", why });
  });

  it("what a newer version adds is left out", () => {
    const raw = { ...(onWire(messages[0]!) as object), later: true };
    expect(readMessage(raw)).toEqual(messages[0]);
  });
});
