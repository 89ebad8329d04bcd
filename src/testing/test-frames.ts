// What a test client writes and reads: version 2 of the wire, of which a client knows the other half.
import type { ServerMessage } from "./test-topic.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const kinds = { push: 0, reply: 1, broadcast: 2 } as const;

/** A message of a client: text, or bytes if its payload is bytes. */
export function clientMessage(
  joinRef: string | null,
  ref: string,
  topic: string,
  event: string,
  payload: unknown,
): string | Uint8Array {
  if (!(payload instanceof Uint8Array))
    return JSON.stringify([joinRef, ref, topic, event, payload]);
  const fields = [joinRef ?? "", ref, topic, event].map((field) => encoder.encode(field));
  const lengths = fields.map(({ length }) => length);
  return Uint8Array.from([
    kinds.push,
    ...lengths,
    ...fields.flatMap((bytes) => [...bytes]),
    ...payload,
  ]);
}

/** A message of the server. */
export function serverMessage(data: string | ArrayBuffer): ServerMessage {
  if (typeof data !== "string") return fromBytes(new Uint8Array(data));
  const [joinRef, ref, topic, event, payload] = JSON.parse(data) as [
    string | null,
    string | null,
    string,
    string,
    unknown,
  ];
  return { joinRef, ref, topic, event, payload };
}

function fromBytes(bytes: Uint8Array): ServerMessage {
  const kind = bytes[0];
  const count = kind === kinds.reply ? 4 : kind === kinds.push ? 3 : 2;
  let at = 1 + count;
  const fields = [...bytes.subarray(1, at)].map((length) =>
    decoder.decode(bytes.subarray(at, (at += length))),
  );
  const payload = bytes.slice(at);
  if (kind === kinds.push) {
    const [joinRef, topic, event] = fields as [string, string, string];
    return { joinRef, ref: null, topic, event, payload };
  }
  if (kind === kinds.broadcast) {
    const [topic, event] = fields as [string, string];
    return { joinRef: null, ref: null, topic, event, payload };
  }
  const [joinRef, ref, topic, status] = fields as [string, string, string, string];
  return { joinRef, ref, topic, event: "phx_reply", payload: { status, response: payload } };
}
