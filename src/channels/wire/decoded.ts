// What a message has to be in every version: refs, topic and event of their types and within their limits.
import type { Limits } from "../limits.ts";
import type { Decoded, Serializer, WireRef } from "./serializer.ts";

const CONTROL = /\p{Cc}/u;

/** The fields of a message as they came. */
export interface Fields {
  readonly joinRef: unknown;
  readonly ref: unknown;
  readonly topic: unknown;
  readonly event: unknown;
  readonly payload: unknown;
}

/**
 * A message of these fields, or why there is none.
 *
 * @param excess the limit that the message as a whole oversteps; its event and payload are not looked at
 */
export function decoded(fields: Fields, limits: Limits, excess?: string): Decoded {
  const { joinRef, ref, topic, event, payload } = fields;
  if (!isRef(joinRef) || !isRef(ref))
    return undecodable("a ref is no string, finite number or null");
  if (typeof topic !== "string") return undecodable("the topic is no string");
  if (excess !== undefined) return { kind: "refused", joinRef, ref, topic, reason: excess };
  if (typeof event !== "string") return undecodable("the event is no string");
  const reason = excessOf(joinRef, ref, topic, event, limits);
  if (reason !== undefined) return { kind: "refused", joinRef, ref, topic, reason };
  return { kind: "message", message: { joinRef, ref, topic, event, payload } };
}

/** What is wrong with a message of the right types. */
function excessOf(
  joinRef: WireRef,
  ref: WireRef,
  topic: string,
  event: string,
  limits: Limits,
): string | undefined {
  const { maxRefBytes, maxTopicBytes, maxEventBytes } = limits;
  if (exceeds(joinRef, maxRefBytes)) return `join ref over ${maxRefBytes} bytes`;
  if (exceeds(ref, maxRefBytes)) return `ref over ${maxRefBytes} bytes`;
  if (exceeds(topic, maxTopicBytes)) return `topic over ${maxTopicBytes} bytes`;
  if (CONTROL.test(topic)) return "control character in the topic";
  // Half a surrogate pair has no bytes: on the way to another node it would become some other topic.
  if (!topic.isWellFormed()) return "half a character in the topic";
  return exceeds(event, maxEventBytes) ? `event over ${maxEventBytes} bytes` : undefined;
}

/** Reads a frame of either kind. */
export function decodeFrame(
  serializer: Serializer,
  data: string | Uint8Array,
  limits: Limits,
): Decoded {
  return typeof data === "string"
    ? serializer.decodeText(data, limits)
    : serializer.decodeBytes(data, limits);
}

/** No message at all. */
export function undecodable(reason: string): Decoded {
  return { kind: "undecodable", reason };
}

/** A text as JSON; undefined, which no JSON is, for what is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRef(value: unknown): value is WireRef {
  return value === null || typeof value === "string" || Number.isFinite(value);
}

function exceeds(value: WireRef, maxBytes: number): boolean {
  // A UTF-16 unit is at most three bytes: most texts need no count.
  return (
    typeof value === "string" && value.length * 3 > maxBytes && Buffer.byteLength(value) > maxBytes
  );
}
