import { describe, expect, it } from "vitest";
import { defaultLimits } from "../limits.ts";
import type { Decoded } from "./serializer.ts";
import { v1 } from "./v1-serializer.ts";

const decode = (text: string): Decoded => v1.decodeText(text, defaultLimits);
const decoded = (object: object): Decoded => decode(JSON.stringify(object));
const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
const message = { topic: "room:1", event: "new", payload: { n: 1 }, ref: "2" };

describe("v1.decodeText (C14, L60, L68)", () => {
  it("reads an object, in any order of its keys, with a join ref if it has one", () => {
    expect(decode('{"ref":"2","payload":{"n":1},"event":"new","topic":"room:1"}')).toEqual({
      kind: "message",
      message: { ...message, joinRef: null },
    });
    expect(decoded({ ...message, join_ref: 7, more: 1 })).toEqual({
      kind: "message",
      message: { ...message, joinRef: 7 },
    });
    for (const payload of ["text", [1], null, 5, true])
      expect(decoded({ ...message, payload })).toMatchObject({ message: { payload } });
    expect(decoded({ ...message, ref: null })).toMatchObject({ message: { ref: null } });
  });

  it("needs all four keys, as its own", () => {
    for (const key of ["topic", "event", "payload", "ref"]) {
      const { [key as "topic"]: _left, ...rest } = message;
      expect(decoded(rest)).toEqual({
        kind: "undecodable",
        reason: "without topic, event, payload or ref",
      });
    }
    expect(decode(`{"__proto__":${JSON.stringify(message)}}`).kind).toBe("undecodable");
  });

  it.each([
    "",
    "null",
    "5",
    '"text"',
    "[]",
    '["1","1","t","e",{}]',
    "{",
    '{"topic":1,"event":"e","payload":{},"ref":"1"}',
    '{"topic":"t","event":null,"payload":{},"ref":"1"}',
    '{"topic":"t","event":"e","payload":{},"ref":[]}',
    '{"topic":"t","event":"e","payload":{},"ref":1e400}',
    '{"topic":"t","event":"e","payload":{},"ref":"1","join_ref":{}}',
  ])("finds no message in %j: close 1011", (text) => {
    expect(decode(text).kind).toBe("undecodable");
  });

  it("answers a message that oversteps a limit, wherever its address stands (R62)", () => {
    const deep = nested(15_000);
    const refused = {
      kind: "refused",
      joinRef: null,
      ref: "2",
      topic: 'a "room"',
      reason: "nested deeper than 64",
    };
    for (const text of [
      `{"topic":"a \\"room\\"","event":"e","payload":${deep},"ref":"2"}`,
      `{"payload":${deep},"ref":"2","event":"e","topic":"a \\"room\\""}`,
      `{ "payload" : {"ref":"9","topic":"not","x":${deep}} , "ref" : "2", "topic":"a \\"room\\"" }`,
      `{"ref":"1","ref":"2","topic":"a \\"room\\"","payload":[{"topic":"b"},${deep}]}`,
    ])
      expect(decode(text)).toEqual(refused);
    expect(decode(`{"join_ref":1,"topic":"t","ref":null,"payload":${deep}}`)).toEqual({
      ...refused,
      joinRef: 1,
      ref: null,
      topic: "t",
    });
    // Whom should it answer?
    for (const text of [
      `{"payload":${deep}}`,
      `{"payload":${deep},"ref":"2"}`,
      `{"topic":{"a":1},"ref":"2","payload":${deep}}`,
      `{"topic":"t","ref":"2`.padEnd(20_000, "["),
      deep,
      '{"a":'.repeat(6_000),
    ])
      expect(decode(text).kind).toBe("undecodable");
  });

  it("lives within the limits on names", () => {
    expect(decoded({ ...message, event: "e".repeat(65) })).toMatchObject({
      kind: "refused",
      reason: "event over 64 bytes",
    });
    expect(decoded({ ...message, topic: "a\n" })).toMatchObject({
      reason: "control character in the topic",
    });
  });

  it("has no binary frames", () => {
    expect(v1.decodeBytes(Uint8Array.of(0, 0, 0, 1, 1, 0x74, 0x65), defaultLimits)).toEqual({
      kind: "undecodable",
      reason: "a binary frame, which version 1.0.0 does not have",
    });
  });
});

describe("v1, what it writes (L1, L68)", () => {
  it("are objects with four keys and no join ref", () => {
    const read = (wire: unknown): unknown => JSON.parse(wire as string);
    expect(v1.push("1", "room:1", "new", '{"n":1}')).toBe(
      '{"topic":"room:1","event":"new","payload":{"n":1},"ref":null}',
    );
    expect(v1.broadcast("room:1", "new", '{"n":1}')).toBe(v1.push("1", "room:1", "new", '{"n":1}'));
    expect(read(v1.reply("1", "2", "room:1", "ok", "{}"))).toEqual({
      topic: "room:1",
      event: "phx_reply",
      payload: { status: "ok", response: {} },
      ref: "2",
    });
    expect(read(v1.close(null, "t"))).toEqual({
      topic: "t",
      event: "phx_close",
      payload: {},
      ref: null,
    });
    expect(read(v1.crash("1", "t"))).toEqual({
      topic: "t",
      event: "phx_error",
      payload: { reason: "channel_crash" },
      ref: "1",
    });
  });

  it("refuses bytes, and says why", () => {
    const refused = expect.objectContaining({
      code: "SLUICE_PAYLOAD_REFUSED",
      message: expect.stringContaining("version 1.0.0") as string,
    }) as Error;
    expect(() => v1.push("1", "t", "e", new Uint8Array(1))).toThrow(refused);
    expect(() => v1.broadcast("t", "e", new Uint8Array(1))).toThrow(refused);
    expect(() => v1.reply("1", "2", "t", "ok", new Uint8Array(1))).toThrow(refused);
  });
});
