import fc from "fast-check";
import * as phoenix from "phoenix";
import { describe, expect, it } from "vitest";
import { defaultLimits } from "../limits.ts";
import type { Decoded, Wire } from "./serializer.ts";
import { v2, v2Text } from "./v2-serializer.ts";

interface ClientMessage {
  readonly join_ref: string | null;
  readonly ref: string | null;
  readonly topic: string;
  readonly event: string;
  readonly payload: unknown;
}
// The stock client's own serializer, which its types leave out.
const { Serializer: client } = phoenix as unknown as {
  Serializer: {
    encode(message: ClientMessage, done: (bytes: ArrayBuffer) => void): void;
    decode(bytes: ArrayBuffer, done: (message: ClientMessage) => void): void;
  };
};

const decode = (bytes: Uint8Array): Decoded => v2.decodeBytes(bytes, defaultLimits);
const bytes = (...parts: readonly (number | string)[]): Uint8Array =>
  Buffer.concat(
    parts.map((part) => (typeof part === "string" ? Buffer.from(part) : Buffer.of(part))),
  );
const hex = (wire: Wire): string => Buffer.from(wire as Uint8Array).toString("hex");
const data = Uint8Array.of(1, 2, 3, 4);

describe("binary frames of version 2 (L69, L133)", () => {
  it("have exact bytes: push, reply, broadcast", () => {
    expect(hex(v2.push("1", "room:1", "pbin", Uint8Array.of(9)))).toBe(
      hex(bytes(0, 1, 6, 4, "1", "room:1", "pbin", 9)),
    );
    expect(hex(v2.broadcast("room:1", "bbin", Uint8Array.of(8)))).toBe(
      hex(bytes(2, 6, 4, "room:1", "bbin", 8)),
    );
    expect(hex(v2.reply("1", "2", "room:1", "ok", data))).toBe(
      hex(bytes(1, 1, 1, 6, 2, "1", "2", "room:1", "ok", 1, 2, 3, 4)),
    );
    expect(hex(v2.reply(null, 7, "t", "error", new Uint8Array()))).toBe(
      hex(bytes(1, 0, 1, 1, 5, "7", "t", "error")),
    );
  });

  it("count bytes of UTF-8, not characters", () => {
    expect(hex(v2.broadcast("é", "€", data))).toBe(hex(bytes(2, 2, 3, "é", "€", 1, 2, 3, 4)));
    expect(decode(bytes(0, 0, 1, 2, 3, "1", "é", "€", 5))).toEqual({
      kind: "message",
      message: { joinRef: null, ref: "1", topic: "é", event: "€", payload: Uint8Array.of(5) },
    });
  });

  it("refuse what a length byte cannot say, by name", () => {
    const why = (run: () => unknown): unknown => {
      try {
        return run();
      } catch (error) {
        return (error as { readonly details: { readonly why: string } }).details.why;
      }
    };
    const long = "é".repeat(128);
    const over = (field: string): string => `the ${field} of a binary frame is over 255 bytes`;
    expect(why(() => v2.push(long, "t", "e", data))).toBe(over("join ref"));
    expect(why(() => v2.push("1", long, "e", data))).toBe(over("topic"));
    expect(why(() => v2.push("1", "t", long, data))).toBe(over("event"));
    expect(why(() => v2.reply("1", long, "t", "ok", data))).toBe(over("ref"));
    expect(why(() => v2.broadcast("t", long, data))).toBe(over("event"));
    expect((v2.broadcast("t", "e".repeat(255), data) as Uint8Array).length).toBe(3 + 1 + 255 + 4);
  });

  it("are read by the stock client, and its own are read here", () => {
    const name = fc.string({ unit: "binary", maxLength: 20 }).filter((text) => text.isWellFormed());
    const ref = fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 8 });
    const payload = fc.uint8Array({ maxLength: 300 });
    const heard = (wire: Wire): ClientMessage => {
      let message: ClientMessage | undefined;
      const copy = new Uint8Array(wire as Uint8Array).buffer;
      client.decode(copy, (decoded) => (message = decoded));
      return message!;
    };
    const asBuffer = (one: Uint8Array): ArrayBuffer => new Uint8Array(one).buffer;
    const plain = name.filter((text) => !/\p{Cc}/u.test(text));
    fc.assert(
      fc.property(ref, ref, plain, name, payload, (joinRef, own, topic, event, sent) => {
        expect(heard(v2.push(joinRef, topic, event, sent))).toEqual({
          join_ref: joinRef,
          ref: null,
          topic,
          event,
          payload: asBuffer(sent),
        });
        expect(heard(v2.broadcast(topic, event, sent))).toMatchObject({
          join_ref: null,
          payload: asBuffer(sent),
        });
        expect(heard(v2.reply(joinRef, own, topic, "ok", sent))).toMatchObject({
          join_ref: joinRef,
          ref: own,
          event: "phx_reply",
          payload: { status: "ok", response: asBuffer(sent) },
        });
        const message = { join_ref: joinRef, ref: own, topic, event, payload: asBuffer(sent) };
        let frame: ArrayBuffer | undefined;
        client.encode(message, (encoded) => (frame = encoded));
        expect(decode(new Uint8Array(frame!))).toEqual({
          kind: "message",
          message: { joinRef, ref: own, topic, event, payload: sent },
        });
      }),
    );
  });

  it("leave nothing else alive: a payload is a plain copy", () => {
    const frame = Buffer.from(bytes(0, 1, 1, 1, 1, "1", "2", "t", "e", 1, 2));
    const read = decode(frame);
    frame.fill(0);
    const payload = read.kind === "message" ? read.message.payload : undefined;
    expect(payload).toEqual(Uint8Array.of(1, 2));
    expect(Object.getPrototypeOf(payload)).toBe(Uint8Array.prototype);
    expect((payload as Uint8Array).buffer.byteLength).toBe(2);
  });

  it("without refs have none: a field without bytes is null", () => {
    expect(decode(bytes(0, 0, 0, 1, 1, "t", "e"))).toEqual({
      kind: "message",
      message: { joinRef: null, ref: null, topic: "t", event: "e", payload: new Uint8Array() },
    });
  });

  it.each([
    ["nothing at all", bytes()],
    ["a head that is cut off", bytes(0, 1, 1, 1)],
    ["a field that is cut off", bytes(0, 1, 1, 6, 4, "1", "2", "room")],
    ["a length beyond the end", bytes(0, 255, 255, 255, 255)],
    ["a reply", bytes(1, 1, 1, 1, 1, "1", "2", "t", "e")],
    ["a broadcast", bytes(2, 1, 1, "t", "e")],
    ["another client's kind", bytes(3, 1, 1, 1, 1, 0, 0, "1", "2", "t", "e", "{}")],
    ["a field that is no UTF-8", bytes(0, 1, 1, 1, 1, "1", "2", 0xff, "e")],
  ])("of %s are no message: close 1011", (_, frame) => {
    expect(decode(frame).kind).toBe("undecodable");
  });

  it("live within the limits of text: the answer goes to the refs", () => {
    expect(decode(bytes(0, 1, 1, 1, 65, "1", "2", "t", "e".repeat(65)))).toEqual({
      kind: "refused",
      joinRef: "1",
      ref: "2",
      topic: "t",
      reason: "event over 64 bytes",
    });
    expect(decode(bytes(0, 33, 1, 1, 1, "1".repeat(33), "2", "t", "e"))).toMatchObject({
      reason: "join ref over 32 bytes",
    });
    expect(decode(bytes(0, 1, 1, 2, 1, "1", "2", "t\n", "e"))).toMatchObject({
      reason: "control character in the topic",
    });
  });

  it("are refused where the transport carries text alone, and the reason says so", () => {
    const refused = expect.objectContaining({
      code: "SLUICE_PAYLOAD_REFUSED",
      message: expect.stringContaining("the transport of this client cannot carry") as string,
    }) as Error;
    expect(() => v2Text.push("1", "t", "e", data)).toThrow(refused);
    expect(() => v2Text.broadcast("t", "e", data)).toThrow(refused);
    expect(() => v2Text.reply("1", "2", "t", "ok", data)).toThrow(refused);
    expect(v2Text.decodeBytes(bytes(0, 0, 0, 1, 1, "t", "e"), defaultLimits).kind).toBe("message");
  });
});
