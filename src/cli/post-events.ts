import { LineSplitter } from "./line-splitter.ts";
import {
  type BadLine,
  type Payload,
  PayloadReader,
  isBlank,
  parseJson,
  toPayload,
} from "./payload.ts";
import { type OriginHeaders, refuseOrigin } from "./same-origin.ts";
import { isToken } from "./token.ts";

/** The most that is parsed whole. */
export const maxBodyBytes = 1_048_576;

/** The headers of a request that decide. */
export interface EventsHeaders extends OriginHeaders {
  readonly authorization?: string | undefined;
  readonly "content-type"?: string | undefined;
  readonly "content-encoding"?: string | undefined;
  readonly "content-length"?: string | undefined;
}

/** Who may post, and what. */
export interface EventsPolicy {
  /** Names beside IP addresses and localhost under which this server is reached. */
  readonly hosts: readonly string[];
  /** What `Authorization: Bearer …` has to say; absent: nothing. */
  readonly token?: string | undefined;
}

/** What a request is answered. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: { readonly accepted?: number; readonly error?: string; readonly line?: number };
}

/** The two forms of a body. */
export type BodyFormat = "json" | "ndjson";

/** How a body is to be read, or why it is not. */
export type Admission = { readonly format: BodyFormat } | { readonly refusal: Answer };

/** Reads of the headers alone whether a body is welcome, before a byte of it is taken. */
export function admit(headers: EventsHeaders, policy: EventsPolicy, partial: boolean): Admission {
  const stranger = refuseOrigin(headers, policy.hosts);
  if (stranger !== undefined) return refuse(403, stranger);
  if (policy.token !== undefined && !hasToken(headers.authorization, policy.token)) {
    return refuse(401, "this needs the token: Authorization: Bearer …", {
      "www-authenticate": "Bearer",
    });
  }
  const format = bodyFormat(headers);
  if (format === undefined || (partial && format === "json")) {
    return refuse(
      415,
      partial
        ? "partial=1 takes application/x-ndjson"
        : "send application/json or application/x-ndjson, in UTF-8, not compressed",
    );
  }
  return !partial && Number(headers["content-length"]) > maxBodyBytes
    ? { refusal: tooLarge }
    : { format };
}

/** More than is parsed whole. */
export const tooLarge: Answer = answer(
  413,
  `more than ${maxBodyBytes} bytes: send less, or application/x-ndjson with ?partial=1`,
);

/** Events to take, all or none, or why the body is refused. */
export type Body = { readonly payloads: readonly Payload[] } | { readonly refusal: Answer };

/**
 * Reads a whole body. JSON: an array is one event per element, anything else is one event. NDJSON: one event per line,
 * empty lines mean nothing. An empty array or an NDJSON body without lines is no event, and no error.
 * @param capacity the most events that could ever be taken at once
 */
export function readBody(bytes: Uint8Array, format: BodyFormat, capacity: number): Body {
  const body = format === "json" ? readJson(bytes) : readLines(bytes);
  if ("refusal" in body || body.payloads.length <= capacity) return body;
  return refuse(
    413,
    `${body.payloads.length} events, more than the buffer holds (${capacity}): send fewer, or with ?partial=1`,
  );
}

/** All were taken. */
export function accepted(count: number): Answer {
  return { status: 202, body: { accepted: count } };
}

/** There is no room for all of them now, so none was taken. */
export const bufferFull: Answer = answer(
  429,
  "the buffer has no room for all of it, nothing was taken",
  { "retry-after": "1" },
);

/** A line that is no JSON: the first one, by its number. */
export function badLine({ line, reason }: BadLine, taken?: number): Answer {
  return {
    status: 400,
    body: {
      ...(taken !== undefined && { accepted: taken }),
      error: `line ${line}: ${reason}`,
      line,
    },
  };
}

/** An answer that says why not. */
export function answer(
  status: number,
  error: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return { status, headers, body: { error } };
}

function refuse(
  status: number,
  error: string,
  headers?: Readonly<Record<string, string>>,
): { readonly refusal: Answer } {
  return { refusal: answer(status, error, headers) };
}

function readLines(bytes: Uint8Array): Body {
  const reader = new PayloadReader("ndjson", () => "stop");
  const splitter = new LineSplitter({ maxLineBytes: maxBodyBytes });
  const payloads = reader.read([...splitter.push(bytes), ...splitter.end()]);
  return reader.lastBad === undefined ? { payloads } : { refusal: badLine(reader.lastBad) };
}

function readJson(bytes: Uint8Array): Body {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
  if (isBlank(text)) return refuse(400, "the body is empty");
  const parsed = parseJson(text);
  if ("value" in parsed)
    return {
      payloads: (Array.isArray(parsed.value) ? parsed.value : [parsed.value]).map(toPayload),
    };
  const { reason, at } = parsed;
  if (at === undefined && text.includes("\n")) return refuse(400, reason);
  return { refusal: badLine({ line: text.slice(0, at ?? 0).split("\n").length, reason }) };
}

function bodyFormat(headers: EventsHeaders): BodyFormat | undefined {
  if ((headers["content-encoding"] ?? "identity") !== "identity") return undefined;
  const [type = "", ...parameters] = (headers["content-type"] ?? "")
    .toLowerCase()
    .split(";")
    .map((part) => part.trim());
  if (!parameters.every((parameter) => /^charset="?utf-8"?$/.test(parameter))) return undefined;
  return type === "application/json"
    ? "json"
    : type === "application/x-ndjson"
      ? "ndjson"
      : undefined;
}

function hasToken(authorization: string | undefined, token: string): boolean {
  const [, given] = /^Bearer +(\S+)$/i.exec(authorization ?? "") ?? [];
  return isToken(given, token);
}
