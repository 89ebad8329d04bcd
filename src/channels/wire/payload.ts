// Payloads from the server, written once whatever number of clients and serializers there are.
import { types } from "node:util";
import { SluiceError } from "../../support/internal.ts";
import type { Limits } from "../limits.ts";

/** A payload as it is sent: JSON text, or bytes. */
export type Payload = string | Uint8Array;

/** The key of a payload that is the runtime's. */
export const reserved = "~";

/** Is it an event of the protocol? A client takes it for a word of its server. */
export function isReservedEvent(event: string): boolean {
  return event.startsWith("phx_") || event.startsWith(reserved);
}

/** Refuses what a program says in the name of the protocol. @throws SLUICE_PAYLOAD_REFUSED */
export function checkEvent(topic: string, event: string): void {
  if (isReservedEvent(event)) throw payloadRefused(topic, event, "its event is the protocol's");
}

/** Why most of what is no payload is refused. */
export const notPlain = "it is no plain object";

/** Is it a payload of bytes? Also of another realm. */
export function isBytes(value: unknown): value is Uint8Array {
  return types.isUint8Array(value);
}

/**
 * The payload of a push or broadcast: a plain object as JSON text, or bytes as they are.
 *
 * @throws SluiceError `SLUICE_PAYLOAD_REFUSED` if it is neither, cannot be written as JSON (a cycle, a bigint, nesting too
 * deep), has the key `"~"`, or is over `maxPayloadBytes`; also for an event of the protocol.
 */
export function encodePayload(
  topic: string,
  event: string,
  payload: unknown,
  limits: Limits,
): Payload {
  checkEvent(topic, event);
  if (isBytes(payload)) return checkedBytes(topic, event, payload, limits);
  return encodeObject(topic, event, payload, limits);
}

/** Refuses what a program says under the key of the runtime, which clients would take for the runtime's. @throws SLUICE_PAYLOAD_REFUSED */
export function checkReserved(topic: string, event: string, payload: unknown): void {
  if (typeof payload === "object" && payload !== null && Object.hasOwn(payload, reserved))
    throw payloadRefused(topic, event, `its key "${reserved}" is the runtime's`);
}

/** The payload of what a history keeps, which has no place for bytes: a plain object as JSON text. @throws SLUICE_PAYLOAD_REFUSED */
export function encodeObject(
  topic: string,
  event: string,
  payload: unknown,
  limits: Limits,
): string {
  if (isPlainObject(payload)) {
    checkReserved(topic, event, payload);
    const json = toJson(topic, event, payload, limits);
    // What says by itself how it is written is rare, and looked at again.
    if ("toJSON" in payload) checkReserved(topic, event, JSON.parse(json));
    if (json.startsWith("{")) return json;
  }
  const why = isBytes(payload) ? "it is bytes, and the topic has history" : notPlain;
  throw payloadRefused(topic, event, why);
}

/**
 * The response of a reply: any JSON value, or bytes; none at all is `{}`.
 *
 * @throws SluiceError `SLUICE_PAYLOAD_REFUSED` if it is no JSON value or is over `maxPayloadBytes`.
 */
export function encodeResponse(topic: string, response: unknown, limits: Limits): Payload {
  if (isBytes(response)) return checkedBytes(topic, "phx_reply", response, limits);
  return toJson(topic, "phx_reply", response === undefined ? {} : response, limits);
}

/** The JSON text of an object, which has no such key, with the runtime's own under `"~"`. */
export function withMeta(json: string, meta: string): string {
  const comma = json === "{}" ? "" : ",";
  return `${json.slice(0, -1)}${comma}"${reserved}":${meta}}`;
}

/** A payload that cannot be sent. */
export function payloadRefused(
  topic: string,
  event: string,
  why: string,
  cause?: unknown,
): SluiceError {
  const message = `the payload of ${JSON.stringify(event)} on ${JSON.stringify(topic)} was refused: ${why}`;
  return new SluiceError("SLUICE_PAYLOAD_REFUSED", message, { topic, event, why }, { cause });
}

function checkedBytes(topic: string, event: string, bytes: Uint8Array, limits: Limits): Uint8Array {
  if (bytes.length <= limits.maxPayloadBytes) return bytes;
  throw payloadRefused(topic, event, `it is over ${limits.maxPayloadBytes} bytes`);
}

function toJson(topic: string, event: string, value: unknown, limits: Limits): string {
  if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value))
    throw payloadRefused(topic, event, "it is bytes, but no Uint8Array");
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (cause) {
    throw payloadRefused(topic, event, "it cannot be written as JSON", cause);
  }
  if (json === undefined) throw payloadRefused(topic, event, "it is no JSON value");
  // A UTF-16 unit is at most three bytes: most payloads need no count.
  if (
    json.length * 3 > limits.maxPayloadBytes &&
    Buffer.byteLength(json) > limits.maxPayloadBytes
  ) {
    throw payloadRefused(topic, event, `it is over ${limits.maxPayloadBytes} bytes`);
  }
  return json;
}

function isPlainObject(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // Also of another realm: its Object.prototype is the one that has no prototype itself.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
