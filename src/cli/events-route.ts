import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { finished } from "node:stream/promises";
import type { Sleep } from "./file-change.ts";
import { LineSplitter } from "./line-splitter.ts";
import { type Payload, PayloadReader } from "./payload.ts";
import {
  type Answer,
  type BodyFormat,
  type EventsPolicy,
  accepted,
  admit,
  answer,
  badLine,
  bufferFull,
  maxBodyBytes,
  readBody,
  tooLarge,
} from "./post-events.ts";
import { securityHeaders } from "./security-headers.ts";

/** Where posted events go. */
export interface Inbox {
  /** Takes all of them at once, or none. */
  tryPush(payloads: readonly Payload[]): boolean | Promise<boolean>;
  /** Resolves when all are taken or buffered, in order: that is the back-pressure. */
  push(payloads: readonly Payload[]): Promise<void>;
  /** The most events that could ever be taken at once. */
  readonly capacity: number;
}

/** What `POST /events` needs. */
export interface EventsRouteOptions extends EventsPolicy {
  readonly inbox: Inbox;
  readonly sleep: Sleep;
  /** How long a body may take to come whole, or, streamed, its next piece; default 10,000. */
  readonly bodyTimeoutMs?: number;
}

/** What one request may throw away of a body that was refused, before its connection is cut. */
const maxDiscardedBytes = 16 * maxBodyBytes;

/**
 * Answers `POST /events`, and anything else at its path with 405. It never rejects, and a client that hangs up ends it.
 *
 * - Up to 1 MiB is taken at once or not at all: 202 `{ accepted }`; 400 names the first bad line; 413 when it is larger,
 *   or more events than the buffer could ever hold; 429 with Retry-After when there is no room for all of it now.
 * - `?partial=1` streams NDJSON of any size, reading no faster than events are taken, and says how many were: 202 at the
 *   end; 400 at the first bad line, with the lines before it taken; 503 when the inbox has ended.
 * - 403 to other origins and hosts, 401 without the token, 415 for anything but JSON, 408 to a body that does not come.
 *
 * A streamed body may last: the server must have `requestTimeout: 0`, for that counts the whole request.
 */
export function eventsRoute(
  options: EventsRouteOptions,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (request, response) => {
    try {
      send(response, await decide(request, options));
      await discard(request, options);
    } catch {
      // The client has hung up, or the inbox is gone; whoever still listens is told.
      if (!response.headersSent && !response.destroyed) send(response, stopped);
    }
  };
}

async function decide(request: IncomingMessage, options: EventsRouteOptions): Promise<Answer> {
  if (request.method !== "POST") return answer(405, "POST events here", { allow: "POST" });
  const partial = new URLSearchParams(request.url?.split("?")[1]).get("partial") === "1";
  const admission = admit(request.headers, options, partial);
  if ("refusal" in admission) return admission.refusal;
  return partial ? takePartial(request, options) : takeWhole(request, admission.format, options);
}

async function takeWhole(
  request: IncomingMessage,
  format: BodyFormat,
  options: EventsRouteOptions,
): Promise<Answer> {
  const bytes = await inTime(readUpTo(request, maxBodyBytes), options);
  if (bytes === late) return tooLate;
  if (bytes === undefined) return tooLarge;
  const body = readBody(bytes, format, options.inbox.capacity);
  if ("refusal" in body) return body.refusal;
  return (await options.inbox.tryPush(body.payloads)) ? accepted(body.payloads.length) : bufferFull;
}

async function takePartial(request: IncomingMessage, options: EventsRouteOptions): Promise<Answer> {
  const splitter = new LineSplitter();
  const reader = new PayloadReader("ndjson", () => "stop");
  const chunks = chunksOf(request);
  let taken = 0;
  for (;;) {
    const step = await inTime(chunks.next(), options);
    if (step === late) return { ...tooLate, body: { accepted: taken, ...tooLate.body } };
    const payloads = reader.read(step.done === true ? splitter.end() : splitter.push(step.value));
    try {
      if (payloads.length > 0) await options.inbox.push(payloads);
    } catch {
      await chunks.return?.();
      return { ...stopped, body: { accepted: taken, ...stopped.body } };
    }
    taken += payloads.length;
    if (reader.lastBad !== undefined) {
      await chunks.return?.();
      return badLine(reader.lastBad, taken);
    }
    if (step.done === true) return accepted(taken);
  }
}

/** The whole body, or `undefined` when it is larger. */
async function readUpTo(request: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of chunksOf(request)) {
    pieces.push(piece);
    if ((size += piece.length) > maxBytes) return undefined;
  }
  return Buffer.concat(pieces, size);
}

/** Left early, it must leave the connection open: an answer is still to be sent over it. */
function chunksOf(request: IncomingMessage): AsyncIterableIterator<Buffer> {
  return request.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Buffer>;
}

const late = Symbol("late");
const tooLate = answer(408, "the body did not come in time", { connection: "close" });
const stopped = answer(503, "this has stopped");

async function inTime<T>(
  work: Promise<T>,
  { sleep, bodyTimeoutMs = 10_000 }: EventsRouteOptions,
): Promise<T | typeof late> {
  const done = new AbortController();
  const alarm = sleep(bodyTimeoutMs, done.signal).then(
    (): typeof late => late,
    (): typeof late => late,
  );
  try {
    return await Promise.race([work, alarm]);
  } finally {
    done.abort();
  }
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  const text = `${JSON.stringify(body)}\n`;
  const about = {
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(text),
  };
  response.writeHead(status, { ...securityHeaders, ...headers, ...about }).end(text);
}

/** Reads on what is left of a refused body: a client that still writes would else see its connection reset, not the answer. */
async function discard(request: IncomingMessage, options: EventsRouteOptions): Promise<void> {
  if (request.readableEnded) return;
  let left = maxDiscardedBytes;
  request.on("data", (piece: Buffer) => {
    if ((left -= piece.length) < 0) request.destroy();
  });
  const gone = new AbortController();
  // Once it is answered, Node no longer tells a request that its connection is closed.
  const over = Promise.race([finished(request), once(request.socket, "close", gone)]);
  if ((await inTime(over, options)) === late) request.destroy();
  gone.abort();
}
