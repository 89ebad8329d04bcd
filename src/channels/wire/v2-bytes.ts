// The binary frames of version 2. A kind, then the length of each field in one byte, the fields as UTF-8, and the payload
// to the end:
//
//   client, push       0 | join_ref ref topic event  | …
//   server, push       0 | join_ref topic event      | …
//   server, reply      1 | join_ref ref topic status | …
//   server, broadcast  2 | topic event               | …
//
// A ref that is null is a field without bytes.
import { decoded, undecodable } from "./decoded.ts";
import type { Limits } from "../limits.ts";
import { payloadRefused } from "./payload.ts";
import type { Decoded, WireRef } from "./serializer.ts";

const Kind = { push: 0, reply: 1, broadcast: 2 } as const;
const CLIENT_PUSH_HEAD = 5;
const MAX_FIELD_BYTES = 255;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads a client's push; its payload is a copy, so that it keeps nothing else alive. Total. */
export function decodePush(bytes: Uint8Array, limits: Limits): Decoded {
  if (bytes.length < CLIENT_PUSH_HEAD) return undecodable("a binary frame without a head");
  if (bytes[0] !== Kind.push) return undecodable("a binary frame of an unknown kind");
  let at = CLIENT_PUSH_HEAD;
  const fields: string[] = [];
  for (let field = 1; field < CLIENT_PUSH_HEAD; field++) {
    const end = at + bytes[field]!;
    if (end > bytes.length) return undecodable("a binary frame that is cut off");
    const text = decodeText(bytes.subarray(at, end));
    if (text === undefined) return undecodable("a field that is no UTF-8");
    fields.push(text);
    at = end;
  }
  const [joinRef = "", ref = "", topic, event] = fields;
  return decoded(
    {
      joinRef: joinRef === "" ? null : joinRef,
      ref: ref === "" ? null : ref,
      topic,
      event,
      payload: new Uint8Array(bytes.subarray(at)),
    },
    limits,
  );
}

/** What one client is told. @throws SLUICE_PAYLOAD_REFUSED naming the field that is too long */
export function pushBytes(
  joinRef: WireRef,
  topic: string,
  event: string,
  data: Uint8Array,
): Uint8Array {
  return encode(Kind.push, { "join ref": named(joinRef), topic, event }, topic, event, data);
}

/** What everybody is told. @throws SLUICE_PAYLOAD_REFUSED naming the field that is too long */
export function broadcastBytes(topic: string, event: string, data: Uint8Array): Uint8Array {
  return encode(Kind.broadcast, { topic, event }, topic, event, data);
}

/** An answer. @throws SLUICE_PAYLOAD_REFUSED naming the field that is too long */
export function replyBytes(
  joinRef: WireRef,
  ref: WireRef,
  topic: string,
  status: "ok" | "error",
  data: Uint8Array,
): Uint8Array {
  const fields = { "join ref": named(joinRef), ref: named(ref), topic, status };
  return encode(Kind.reply, fields, topic, "phx_reply", data);
}

function encode(
  kind: number,
  fields: { readonly [name: string]: string },
  topic: string,
  event: string,
  data: Uint8Array,
): Uint8Array {
  const texts = Object.values(fields);
  const lengths = texts.map((text) => Buffer.byteLength(text));
  const long = lengths.findIndex((length) => length > MAX_FIELD_BYTES);
  if (long >= 0) {
    const why = `the ${Object.keys(fields)[long]} of a binary frame is over ${MAX_FIELD_BYTES} bytes`;
    throw payloadRefused(topic, event, why);
  }
  const head = 1 + lengths.length;
  const bytes = lengths.reduce((sum, length) => sum + length, head) + data.length;
  const frame = Buffer.allocUnsafeSlow(bytes);
  frame[0] = kind;
  frame.set(lengths, 1);
  let at = head;
  for (const text of texts) at += frame.write(text, at);
  frame.set(data, at);
  return frame;
}

function named(ref: WireRef): string {
  return ref === null ? "" : String(ref);
}

function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}
