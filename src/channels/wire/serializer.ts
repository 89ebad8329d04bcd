// What a message is on the wire: a contract, its two versions in the files beside it. Values in, values out, no I/O.
import type { Limits } from "../limits.ts";
import type { Payload } from "./payload.ts";

/** A name that a client chose for a request or a join, handed back as it came. */
export type WireRef = string | number | null;

/** A message from a client. The payload is any JSON value, or bytes, and nobody has checked it. */
export interface Incoming {
  readonly joinRef: WireRef;
  readonly ref: WireRef;
  readonly topic: string;
  readonly event: string;
  readonly payload: unknown;
}

/** What came of a frame: a message, an answer to one that oversteps a limit, or the end of the connection. */
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
  /** No message at all: close 1011. The reason is for logs and holds nothing of the frame. */
  | { readonly kind: "undecodable"; readonly reason: string };

/** A message to clients: text, or bytes, for a frame of that kind. */
export type Wire = string | Uint8Array;

/**
 * One version of the protocol. Decoding is total: whatever comes gives a value, and only text within the limits on depth
 * and width is parsed at all. Encoding is given payloads that are checked and written already (`encodePayload`).
 *
 * Whoever writes one must not keep what it is given, must not change it, and must not throw but for bytes that have no
 * form in it.
 */
export interface Serializer {
  /** As the client asks for it by `vsn`. */
  readonly version: "1.0.0" | "2.0.0";
  /** What is encoded for one serializer of a form is right for all of that form. */
  readonly form: "v1" | "v2";
  /** May its client be sent bytes? */
  readonly takesBytes: boolean;
  /** Does its client learn of join refs? */
  readonly namesJoins: boolean;
  /** Reads a text frame. */
  decodeText(text: string, limits: Limits): Decoded;
  /** Reads a binary frame. */
  decodeBytes(bytes: Uint8Array, limits: Limits): Decoded;
  /** What one client is told. @throws SLUICE_PAYLOAD_REFUSED */
  push(joinRef: WireRef, topic: string, event: string, payload: Payload): Wire;
  /** What everybody on the topic is told, the same for all. @throws SLUICE_PAYLOAD_REFUSED */
  broadcast(topic: string, event: string, payload: Payload): Wire;
  /** The answer to a join, an event, a leave or a heartbeat. @throws SLUICE_PAYLOAD_REFUSED */
  reply(
    joinRef: WireRef,
    ref: WireRef,
    topic: string,
    status: "ok" | "error",
    response: Payload,
  ): Wire;
  /** The orderly end of a channel, after which its client forgets it. */
  close(joinRef: WireRef, topic: string): Wire;
  /** The crash of a channel, after which its client joins again; its id in the log is all a browser is told of it. */
  crash(joinRef: WireRef, topic: string, id?: string): Wire;
}
