// Payloads from the server, written once whatever number of clients and serializers there are.
import { types } from "node:util";
import { SluiceError } from "../support/internal.ts";
import type { Limits } from "./limits.ts";

/** A payload as it is sent: JSON text, or bytes. */
export type Payload = string | Uint8Array;

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
 * deep), or is over `maxPayloadBytes`.
 */
export function encodePayload(
  topic: string,
  event: string,
  payload: unknown,
  limits: Limits,
): Payload {
  if (isBytes(payload)) return checkedBytes(topic, event, payload, limits);
  return encodeObject(topic, event, payload, limits);
}

/** The same for what a history keeps, which has no place for bytes. @throws SLUICE_PAYLOAD_REFUSED */
export function encodeObject(
  topic: string,
  event: string,
  payload: unknown,
  limits: Limits,
): string {
  const json = isPlainObject(payload) ? toJson(topic, event, payload, limits) : "";
  if (json.startsWith("{")) return json;
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

/** The JSON text of an object with the runtime's own under `"~"`: of equal keys, whoever reads takes the last. */
export function withMeta(json: string, meta: string): string {
  const comma = json === "{}" ? "" : ",";
  return `${json.slice(0, -1)}${comma}"~":${meta}}`;
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
