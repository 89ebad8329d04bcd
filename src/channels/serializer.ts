// Phoenix's V2 JSON serializer: `[join_ref, ref, topic, event, payload]`, both ways.
import { SluiceError } from "../support/internal.ts";
import { scanJson } from "./json-scan.ts";
import { type Limits, defaultLimits } from "./limits.ts";

/** A name that a client chose for a request or a join, handed back as it came. */
export type WireRef = string | number | null;

/** A message from a client. The payload is any JSON value, and nobody has checked it. */
export interface Incoming {
  readonly joinRef: WireRef;
  readonly ref: WireRef;
  readonly topic: string;
  readonly event: string;
  readonly payload: unknown;
}

/** What came of a text: a message, an answer to one that oversteps a limit, or the end of the connection. */
export type Decoded =
  | { readonly kind: "message"; readonly message: Incoming }
  /** Known enough to be answered by an error reply; a strike against the socket. */
  | {
      readonly kind: "refused";
      readonly joinRef: WireRef;
      readonly ref: WireRef;
      readonly topic: string;
      readonly reason: string;
    }
  /** No message at all: close 1011. The reason is for logs and holds nothing of the text. */
  | { readonly kind: "undecodable"; readonly reason: string };

const CONTROL = /\p{Cc}/u;

/**
 * Reads one text frame. Total: every string gives a value, none throws, and only text within the limits on depth and
 * width is parsed at all. Keys such as `__proto__` come out as keys like any other; elements after the fifth are ignored.
 */
export function decode(text: string, limits: Limits = defaultLimits): Decoded {
  const { excess, headEnd } = scanJson(text, limits);
  // The head is within the limits even where the payload is not, and says whom to answer.
  const elements = parse(excess === undefined ? text : `${text.slice(0, headEnd)}]`);
  if (!Array.isArray(elements)) return undecodable("not a JSON array");
  const [joinRef, ref, topic, event, payload] = elements as unknown[];
  if (!isRef(joinRef) || !isRef(ref))
    return undecodable("a ref is no string, finite number or null");
  if (typeof topic !== "string") return undecodable("the topic is no string");
  const refused = (reason: string): Decoded => ({ kind: "refused", joinRef, ref, topic, reason });
  if (excess !== undefined) return refused(excess);
  if (elements.length < 5) return undecodable("fewer than five elements");
  if (typeof event !== "string") return undecodable("the event is no string");
  if (exceeds(joinRef, limits.maxRefBytes))
    return refused(`join ref over ${limits.maxRefBytes} bytes`);
  if (exceeds(ref, limits.maxRefBytes)) return refused(`ref over ${limits.maxRefBytes} bytes`);
  if (exceeds(topic, limits.maxTopicBytes))
    return refused(`topic over ${limits.maxTopicBytes} bytes`);
  if (CONTROL.test(topic)) return refused("control character in the topic");
  // Half a surrogate pair has no bytes: on the way to another node it would become some other topic.
  if (!topic.isWellFormed()) return refused("half a character in the topic");
  if (exceeds(event, limits.maxEventBytes))
    return refused(`event over ${limits.maxEventBytes} bytes`);
  return { kind: "message", message: { joinRef, ref, topic, event, payload } };
}

/**
 * What one client is told: `[join_ref, null, topic, event, payload]`.
 *
 * @throws SluiceError `SLUICE_PAYLOAD_REFUSED` if the payload is no plain object, cannot be written as JSON (a cycle, a
 * bigint, nesting too deep), or is over `maxPayloadBytes`.
 */
export function encodePush(
  joinRef: WireRef,
  topic: string,
  event: string,
  payload: object,
  limits: Limits = defaultLimits,
): string {
  return encode(joinRef, null, topic, event, encodePayload(topic, event, payload, limits));
}

/**
 * What everybody on the topic is told: `[null, null, topic, event, payload]`, the same text for all.
 *
 * @param meta what the runtime adds to the payload, under `"~"`
 * @throws SluiceError `SLUICE_PAYLOAD_REFUSED` as `encodePush`.
 */
export function encodeBroadcast(
  topic: string,
  event: string,
  payload: object,
  limits: Limits = defaultLimits,
  meta?: object,
): string {
  return broadcastText(topic, event, encodePayload(topic, event, payload, limits), meta);
}

/** The same for a payload that is JSON text already. */
export function broadcastText(topic: string, event: string, json: string, meta?: object): string {
  const payload = meta === undefined ? json : withMeta(json, JSON.stringify(meta));
  return encode(null, null, topic, event, payload);
}

/** The JSON text of an object with the runtime's own under `"~"`: of equal keys, whoever reads takes the last. */
export function withMeta(json: string, meta: string): string {
  const comma = json === "{}" ? "" : ",";
  return `${json.slice(0, -1)}${comma}"~":${meta}}`;
}

/**
 * The answer to a join, an event, a leave or a heartbeat:
 * `[join_ref, ref, topic, "phx_reply", {"status": status, "response": response}]`.
 *
 * @param response any JSON value; none at all is `{}`
 * @throws SluiceError `SLUICE_PAYLOAD_REFUSED` if the response is no JSON value or is over `maxPayloadBytes`.
 */
export function encodeReply(
  joinRef: WireRef,
  ref: WireRef,
  topic: string,
  status: "ok" | "error",
  response: unknown = {},
  limits: Limits = defaultLimits,
): string {
  return replyText(joinRef, ref, topic, status, toJson(topic, "phx_reply", response, limits));
}

/** The same for a response that is JSON text already. */
export function replyText(
  joinRef: WireRef,
  ref: WireRef,
  topic: string,
  status: "ok" | "error",
  json: string,
): string {
  return encode(joinRef, ref, topic, "phx_reply", `{"status":"${status}","response":${json}}`);
}

/** The orderly end of a channel, after which its client forgets it: `[join_ref, join_ref, topic, "phx_close", {}]`. */
export function encodeClose(joinRef: WireRef, topic: string): string {
  return encode(joinRef, joinRef, topic, "phx_close", "{}");
}

/** The crash of a channel, after which its client joins again; that is all a browser is told of it. */
export function encodeCrash(joinRef: WireRef, topic: string): string {
  return encode(joinRef, joinRef, topic, "phx_error", `{"reason":"channel_crash"}`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function undecodable(reason: string): Decoded {
  return { kind: "undecodable", reason };
}

function isRef(value: unknown): value is WireRef {
  return value === null || typeof value === "string" || Number.isFinite(value);
}

function exceeds(value: WireRef, maxBytes: number): boolean {
  return (
    typeof value === "string" && (value.length > maxBytes || Buffer.byteLength(value) > maxBytes)
  );
}

function encode(
  joinRef: WireRef,
  ref: WireRef,
  topic: string,
  event: string,
  payload: string,
): string {
  return `[${JSON.stringify(joinRef)},${JSON.stringify(ref)},${JSON.stringify(topic)},${JSON.stringify(event)},${payload}]`;
}

/**
 * A payload as JSON text.
 *
 * @throws SluiceError `SLUICE_PAYLOAD_REFUSED` as `encodePush`.
 */
export function encodePayload(
  topic: string,
  event: string,
  payload: unknown,
  limits: Limits,
): string {
  const json = isPlainObject(payload) ? toJson(topic, event, payload, limits) : "";
  if (json.startsWith("{")) return json;
  throw payloadRefused(topic, event, "it is no plain object");
}

function toJson(topic: string, event: string, value: unknown, limits: Limits): string {
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

function payloadRefused(topic: string, event: string, why: string, cause?: unknown): SluiceError {
  const message = `the payload of ${JSON.stringify(event)} on ${JSON.stringify(topic)} was refused: ${why}`;
  return new SluiceError("SLUICE_PAYLOAD_REFUSED", message, { topic, event, why }, { cause });
}

function isPlainObject(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // Also of another realm: its Object.prototype is the one that has no prototype itself.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
