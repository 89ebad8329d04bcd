import fc from "fast-check";
import * as phoenix from "phoenix";
import { describe, expect, it } from "vitest";
import { defaultLimits } from "../limits.ts";
import { encodePayload, encodeResponse } from "./payload.ts";
import type { Decoded, Wire, WireRef } from "./serializer.ts";
import { v2 } from "./v2-serializer.ts";

const decode = (text: string, limits = defaultLimits): Decoded => v2.decodeText(text, limits);
const encodePush = (joinRef: WireRef, topic: string, event: string, payload: object): Wire =>
  v2.push(joinRef, topic, event, encodePayload(topic, event, payload, defaultLimits));
const encodeBroadcast = (topic: string, event: string, payload: object): Wire =>
  v2.broadcast(topic, event, encodePayload(topic, event, payload, defaultLimits));
const encodeReply = (
  joinRef: WireRef,
  ref: WireRef,
  topic: string,
  status: "ok" | "error",
  response?: unknown,
): string => {
  const json = encodeResponse(topic, response, defaultLimits);
  return v2.reply(joinRef, ref, topic, status, json) as string;
};

interface ClientMessage {
  readonly join_ref: WireRef;
  readonly ref: WireRef;
  readonly topic: string;
  readonly event: string;
  readonly payload: unknown;
}
// The stock client's own serializer, which its types leave out.
const { Serializer: client } = phoenix as unknown as {
  Serializer: {
    encode(message: ClientMessage, done: (text: string) => void): void;
    decode(text: Wire, done: (message: ClientMessage) => void): void;
  };
};

const failure = (run: () => unknown): unknown => {
  try {
    return run();
  } catch (error) {
    return error;
  }
};
const text = (...elements: readonly unknown[]): string => JSON.stringify(elements);
const decoded = (...elements: readonly unknown[]): Decoded => decode(text(...elements));
const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
const widest = (count: number): Record<string, number> =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, n]));

describe("decode", () => {
  it("reads the five elements", () => {
    expect(decoded("1", "2", "room:1", "new", { text: "hi" })).toEqual({
      kind: "message",
      message: { joinRef: "1", ref: "2", topic: "room:1", event: "new", payload: { text: "hi" } },
    });
  });

  it("reads what the stock client sends", () => {
    const message = {
      join_ref: "4",
      ref: "7",
      topic: "room:1",
      event: "phx_join",
      payload: { token: "t" },
    };
    let sent = "";
    client.encode(message, (text) => (sent = text));
    expect(decode(sent)).toMatchObject({
      kind: "message",
      message: { joinRef: "4", ref: "7", payload: { token: "t" } },
    });
  });

  it("keeps refs as they are: text, number or null", () => {
    for (const ref of ["1", "", 1, 0, -2.5, null]) {
      expect(decoded(ref, ref, "t", "e", {})).toMatchObject({
        kind: "message",
        message: { joinRef: ref, ref },
      });
    }
  });

  it("takes any JSON value as payload and ignores what follows it", () => {
    for (const payload of ["text", [1], null, 5, true, {}]) {
      expect(decoded(null, "1", "t", "e", payload, "more", {})).toMatchObject({
        kind: "message",
        message: { payload },
      });
    }
  });

  it.each([
    "",
    "not JSON",
    "null",
    "5",
    '{"topic":"t","event":"e","payload":{},"ref":"1"}',
    "[]",
    '["1","1","t","e"]',
    '["1","1","t","e",{}',
    '["1","1","t","e",{}]]',
    '["1","1","t",5,{}]',
    '["1","1",null,"e",{}]',
    '[{},"1","t","e",{}]',
    '["1",true,"t","e",{}]',
    '["1",1e400,"t","e",{}]',
    '["1","1","t","e",1e]',
  ])("finds no message in %j: close 1011", (text) => {
    expect(decode(text).kind).toBe("undecodable");
  });

  it("survives 30 KB of brackets (R62): no message, and the parser never sees them", () => {
    expect(decode(nested(15_000))).toEqual({ kind: "undecodable", reason: "not a JSON array" });
    expect(decode("[".repeat(30_000)).kind).toBe("undecodable");
    expect(decode('{"a":'.repeat(6_000)).kind).toBe("undecodable");
  });

  it("answers a message that oversteps a limit by its refs and topic", () => {
    const refused = (reason: string): unknown => ({
      kind: "refused",
      joinRef: "1",
      ref: 2,
      topic: "t",
      reason,
    });
    expect(decode(`["1",2,"t","e",${nested(15_000)}]`)).toEqual(refused("nested deeper than 64"));
    expect(decode(`["1",2,"t","e",${nested(63)}]`).kind).toBe("message");
    expect(decoded("1", 2, "t", "e", widest(1_000)).kind).toBe("message");
    expect(decoded("1", 2, "t", "e", widest(1_001))).toEqual(
      refused("more than 1000 keys in an object"),
    );
    expect(decoded("1", 2, "t", "e", Array(10_000).fill(0)).kind).toBe("message");
    expect(decoded("1", 2, "t", "e", Array(10_001).fill(0))).toEqual(
      refused("more than 10000 entries in an array"),
    );
    expect(decoded("1", 2, "t", "e".repeat(64), {}).kind).toBe("message");
    expect(decoded("1", 2, "t", "e".repeat(65), {})).toEqual(refused("event over 64 bytes"));
  });

  it("bounds topics and refs in bytes, not in characters", () => {
    expect(decoded("1", "2", "é".repeat(127), "e", {}).kind).toBe("message");
    expect(decoded("1", "2", "é".repeat(128), "e", {})).toMatchObject({
      reason: "topic over 255 bytes",
      ref: "2",
    });
    expect(decoded("1", "2".repeat(33), "t", "e", {})).toMatchObject({
      reason: "ref over 32 bytes",
    });
    expect(decoded("1".repeat(33), "2", "t", "e", {})).toMatchObject({
      reason: "join ref over 32 bytes",
    });
  });

  it("refuses topics that could be taken for another: control characters, half characters", () => {
    for (const topic of ["a\n", "\0", "a\u007f", "a\u0085"]) {
      expect(decoded(null, "1", topic, "e", {})).toMatchObject({
        kind: "refused",
        topic,
        reason: "control character in the topic",
      });
    }
    expect(decode(String.raw`[null,"1","a\ud800","e",{}]`)).toMatchObject({
      reason: "half a character in the topic",
    });
  });

  it("treats names of Object.prototype as names (R63)", () => {
    for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty", ""]) {
      expect(decoded(null, "1", name, name, {})).toMatchObject({
        kind: "message",
        message: { topic: name, event: name },
      });
    }
    const result = decode(
      '[null,"1","t","e",{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}]',
    );
    const payload = result.kind === "message" ? (result.message.payload as object) : {};
    expect(Object.keys(payload)).toEqual(["__proto__", "constructor"]);
    expect(Object.getPrototypeOf(payload)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  it("says nothing of the text in its reasons (C20, L64)", () => {
    const secret = "hunter2";
    for (const hostile of [
      secret,
      `["1","1","t\n${secret}","e",{}]`,
      text("1", "1", "t", secret.repeat(100), {}),
      `["1","1",{"${secret}":1},"e",{}]`,
    ]) {
      const result = decode(hostile);
      expect(result.kind === "message" ? secret : result.reason).not.toContain(secret);
    }
  });

  it("lives within other limits where they are given", () => {
    expect(
      decode(text("1", "1", "topic", "e", {}), { ...defaultLimits, maxTopicBytes: 4 }),
    ).toMatchObject({ kind: "refused" });
  });
});

describe("encode", () => {
  it("writes the shapes of V2, byte for byte (L69)", () => {
    expect(encodePush("1", "room:1", "new", { n: 1 })).toBe('["1",null,"room:1","new",{"n":1}]');
    expect(encodeBroadcast("room:1", "new", { n: 1 })).toBe('[null,null,"room:1","new",{"n":1}]');
    expect(encodeReply("1", "2", "room:1", "ok")).toBe(
      '["1","2","room:1","phx_reply",{"status":"ok","response":{}}]',
    );
    expect(encodeReply(null, "9", "phoenix", "ok")).toBe(
      '[null,"9","phoenix","phx_reply",{"status":"ok","response":{}}]',
    );
    expect(encodeReply(null, 3, "x", "error", { reason: "unmatched topic" })).toBe(
      '[null,3,"x","phx_reply",{"status":"error","response":{"reason":"unmatched topic"}}]',
    );
    expect(v2.close("1", "room:1")).toBe('["1","1","room:1","phx_close",{}]');
    expect(v2.crash("1", "room:1")).toBe(
      '["1","1","room:1","phx_error",{"reason":"channel_crash"}]',
    );
  });

  it("is read by the stock client, whatever the names and payloads (L69)", () => {
    const name = fc.string({ unit: "binary" });
    const payload = fc.dictionary(name, fc.jsonValue());
    const ref = fc.oneof(fc.constant(null), name, fc.integer());
    fc.assert(
      fc.property(ref, ref, name, name, payload, (joinRef, ref, topic, event, payload) => {
        const json = JSON.parse(JSON.stringify(payload)) as unknown;
        const heard: ClientMessage[] = [];
        const hear = (text: Wire): void => client.decode(text, (message) => heard.push(message));
        hear(encodePush(joinRef, topic, event, payload));
        hear(encodeBroadcast(topic, event, payload));
        hear(encodeReply(joinRef, ref, topic, "ok", payload));
        expect(heard).toEqual([
          { join_ref: joinRef, ref: null, topic, event, payload: json },
          { join_ref: null, ref: null, topic, event, payload: json },
          {
            join_ref: joinRef,
            ref,
            topic,
            event: "phx_reply",
            payload: { status: "ok", response: json },
          },
        ]);
      }),
    );
  });

  it("replies with any JSON value", () => {
    for (const response of [null, 0, "text", [1, 2], false]) {
      expect(JSON.parse(encodeReply("1", "2", "t", "ok", response))).toEqual([
        "1",
        "2",
        "t",
        "phx_reply",
        { status: "ok", response },
      ]);
    }
  });

  it.each([
    ["null", null],
    ["a list", [1]],
    ["text", "text"],
    ["a map", new Map([["a", 1]])],
    ["a date", new Date(0)],
    [
      "an instance",
      new (class Point {
        x = 1;
      })(),
    ],
    ["an object that says it is text", { toJSON: () => "text" }],
  ])("refuses %s as the payload of a push or broadcast (C36)", (_, payload) => {
    const refused = {
      code: "SLUICE_PAYLOAD_REFUSED",
      details: { topic: "t", event: "e", why: "it is no plain object" },
    };
    expect(failure(() => encodePush("1", "t", "e", payload as object))).toMatchObject(refused);
    expect(failure(() => encodeBroadcast("t", "e", payload as object))).toMatchObject(refused);
  });

  it("refuses bytes that are no Uint8Array, also in a reply, where they would be lost", () => {
    for (const payload of [
      new ArrayBuffer(2),
      new DataView(new ArrayBuffer(2)),
      new Float32Array(1),
    ])
      for (const run of [
        () => encodePush("1", "t", "e", payload),
        () => encodeReply("1", "2", "t", "ok", payload),
      ])
        expect(failure(run)).toMatchObject({ code: "SLUICE_PAYLOAD_REFUSED" });
  });

  it("takes records without a prototype", () => {
    expect(encodeBroadcast("t", "e", Object.assign(Object.create(null) as object, { a: 1 }))).toBe(
      '[null,null,"t","e",{"a":1}]',
    );
  });

  it("refuses what cannot be written, with the cause (R62)", () => {
    const cycle: Record<string, unknown> = {};
    cycle["self"] = cycle;
    let deep: unknown = {};
    for (let depth = 0; depth < 50_000; depth++) deep = { deep };
    for (const value of [cycle, { big: 1n }, deep]) {
      for (const error of [
        failure(() => encodePush("1", "t", "e", value as object)),
        failure(() => encodeReply("1", "2", "t", "ok", value)),
      ]) {
        expect(error).toMatchObject({ code: "SLUICE_PAYLOAD_REFUSED" });
        expect((error as Error).cause).toBeInstanceOf(Error);
      }
    }
    expect(() => encodeReply("1", "2", "t", "ok", () => 1)).toThrow(/no JSON value/);
  });

  it("refuses a payload over 1 MiB, in bytes", () => {
    const payload = (bytes: number): object => ({ d: "é".repeat((bytes - '{"d":""}'.length) / 2) });
    expect(encodeBroadcast("t", "e", payload(1_048_576)).length).toBeGreaterThan(500_000);
    expect(() => encodeBroadcast("t", "e", payload(1_048_578))).toThrow(/over 1048576 bytes/);
  });
});
