// Version 1: `{"topic", "event", "payload", "ref"}`, both ways, in text frames alone. Its clients may name their joins, and
// are never told a join ref.
import { decoded, parseJson, undecodable } from "./decoded.ts";
import { crashPayload } from "../socket/error-id.ts";
import { scalarsOf, scanJson } from "./json-scan.ts";
import type { Limits } from "../limits.ts";
import { payloadRefused, type Payload } from "./payload.ts";
import type { Decoded, Serializer, Wire, WireRef } from "./serializer.ts";

const required = ["topic", "event", "payload", "ref"];
const addressed: ReadonlySet<string> = new Set(["topic", "ref", "join_ref"]);

/** Version 1 of the protocol. */
export const v1: Serializer = {
  version: "1.0.0",
  form: "v1",
  takesBytes: false,
  namesJoins: false,

  decodeText(text: string, limits: Limits): Decoded {
    const { excess } = scanJson(text, limits);
    if (excess !== undefined) return overLimit(text, limits, excess);
    const object = parseJson(text);
    if (typeof object !== "object" || object === null || Array.isArray(object))
      return undecodable("not a JSON object");
    // Own members alone: what all objects inherit is no part of a message.
    if (!required.every((name) => Object.hasOwn(object, name)))
      return undecodable("without topic, event, payload or ref");
    const { ref, topic, event, payload } = object as Readonly<Record<string, unknown>>;
    const joinRef: unknown = Object.getOwnPropertyDescriptor(object, "join_ref")?.value ?? null;
    return decoded({ joinRef, ref, topic, event, payload }, limits);
  },

  decodeBytes(): Decoded {
    return undecodable("a binary frame, which version 1.0.0 does not have");
  },

  push: (_joinRef, topic, event, payload) => message(topic, event, payload, null),

  broadcast: (topic, event, payload) => message(topic, event, payload, null),

  reply(
    _joinRef: WireRef,
    ref: WireRef,
    topic: string,
    status: "ok" | "error",
    response: Payload,
  ): Wire {
    const json = jsonOf(topic, "phx_reply", response);
    return message(topic, "phx_reply", `{"status":"${status}","response":${json}}`, ref);
  },

  close: (joinRef, topic) => message(topic, "phx_close", "{}", joinRef),

  crash: (joinRef, topic, id) => message(topic, "phx_error", crashPayload(id), joinRef),
};

/** Whom to answer stands in the members that are small, wherever the large one is. */
function overLimit(text: string, limits: Limits, excess: string): Decoded {
  const scalars = scalarsOf(text, addressed);
  const read = (name: string): unknown => parseJson(scalars.get(name) ?? "");
  const joinRef = scalars.has("join_ref") ? read("join_ref") : null;
  const fields = { joinRef, ref: read("ref"), topic: read("topic"), event: "", payload: undefined };
  return decoded(fields, limits, excess);
}

function message(topic: string, event: string, payload: Payload, ref: WireRef): string {
  const json = jsonOf(topic, event, payload);
  return `{"topic":${JSON.stringify(topic)},"event":${JSON.stringify(event)},"payload":${json},"ref":${JSON.stringify(ref)}}`;
}

function jsonOf(topic: string, event: string, payload: Payload): string {
  if (typeof payload === "string") return payload;
  throw payloadRefused(topic, event, "it is bytes, which version 1.0.0 does not have");
}
