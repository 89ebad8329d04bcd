// The body of a long-polling POST: one message, or a batch of them, one a line.
import { isUtf8 } from "node:buffer";
import type { CloseCode } from "../wire/frame.ts";
import type { Limits } from "../limits.ts";

/** A message as it came, or why there is none: the first that breaks a rule is the last. */
export type Posted =
  | { readonly kind: "text"; readonly text: string; readonly bytes: number }
  | { readonly kind: "binary"; readonly data: Buffer }
  | { readonly kind: "broken"; readonly code: CloseCode; readonly reason: string };

type PostLimits = Pick<Limits, "maxFrameBytes" | "maxPollBatch">;

const LINE_FEED = 0x0a;
/** Tab, line feed, carriage return, space. */
const blanks: ReadonlySet<number> = new Set([0x09, LINE_FEED, 0x0d, 0x20]);
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
/** The stock client's way to say that a body is a batch. */
const batchType = "application/x-ndjson";

/** Is a body with this content type a batch? */
export function isBatch(contentType: string | undefined): boolean {
  return contentType?.split(";", 1)[0]!.trim().toLowerCase() === batchType;
}

/**
 * Reads a body, message by message, only as far as they are asked for. In a batch, a line that begins with `[` or `{` is
 * text and any other is a binary message in base64; blank lines are none, and what is beyond `maxPollBatch` is not read.
 *
 * @returns whether there was more than that
 */
export function* readPost(
  body: Buffer,
  batch: boolean,
  limits: PostLimits,
): Generator<Posted, boolean> {
  if (!isUtf8(body)) {
    yield { kind: "broken", code: 1007, reason: "the body is no UTF-8" };
    return false;
  }
  if (!batch) {
    const text = body.toString();
    if (text.trim() !== "") yield textMessage(text, body.length, limits);
    return false;
  }
  let count = 0;
  for (let at = skipBlank(body, 0); at < body.length;) {
    if (count++ === limits.maxPollBatch) return true;
    const found = body.indexOf(LINE_FEED, at);
    const end = found < 0 ? body.length : found;
    const line = body.toString("utf8", at, end).trimEnd();
    yield line.startsWith("[") || line.startsWith("{")
      ? textMessage(line, Buffer.byteLength(line), limits)
      : binaryMessage(line, limits);
    at = skipBlank(body, end);
  }
  return false;
}

/** Past line ends and spaces, byte by byte: a body of nothing else costs next to nothing. */
function skipBlank(body: Buffer, from: number): number {
  let at = from;
  while (at < body.length && blanks.has(body[at]!)) at++;
  return at;
}

function textMessage(text: string, bytes: number, { maxFrameBytes }: PostLimits): Posted {
  return bytes > maxFrameBytes ? tooLong(maxFrameBytes) : { kind: "text", text, bytes };
}

function binaryMessage(line: string, { maxFrameBytes }: PostLimits): Posted {
  if (line.length % 4 !== 0 || !BASE64.test(line))
    return { kind: "broken", code: 1011, reason: "a line that is neither JSON nor base64" };
  const data = Buffer.from(line, "base64");
  return data.length > maxFrameBytes ? tooLong(maxFrameBytes) : { kind: "binary", data };
}

function tooLong(maxFrameBytes: number): Posted {
  return { kind: "broken", code: 1009, reason: `a message over ${maxFrameBytes} bytes` };
}
