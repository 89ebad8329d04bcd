import type { IncomingMessage, ServerResponse } from "node:http";
import { refused } from "../../telemetry/internal.ts";
import type { EndpointEngine } from "../server/endpoint-engine.ts";
import { fetchFactsOf, headerOf, queryOf } from "./http-request.ts";
import { isBatch, readPost } from "./long-poll-body.ts";
import { LongPollConnect, tokenOf } from "./long-poll-connect.ts";
import { LongPollSession, type Poll, type PollStatus, type Post } from "./long-poll-session.ts";
import { LongPollTokens, sessionId } from "./long-poll-token.ts";
import type { PolledMount } from "../admission/mount.ts";
import { allowedHost, allowedOrigin } from "../admission/origin.ts";
import type { Peer } from "./transport.ts";

const tokenHeader = "x-phoenix-longpoll-token";
/** What a page of another origin may send, where it names nothing. */
const ownHeaders = `content-type, x-phoenix-authtoken, ${tokenHeader}`;
const HEADER_NAMES = /^[\w-]+(?:, ?[\w-]+)*$/;
const preflightAgeSeconds = 3_600;

interface Session {
  readonly mount: PolledMount;
  readonly line: LongPollSession;
  /** The number of the answer that its client had last, as its token says. */
  readonly after: number;
}

/** Everything that a client of long-polling asks over HTTP: each answer is a 200, whose body says the status. */
export class LongPollRequests {
  readonly #engine: EndpointEngine;
  readonly #tokens = new LongPollTokens();
  readonly #sessions: Map<string, Omit<Session, "after">> = new Map();

  constructor(engine: EndpointEngine) {
    this.#engine = engine;
  }

  /** Answers a request at a mount's `/longpoll`. */
  handle(mount: PolledMount, request: IncomingMessage, response: ServerResponse): void {
    const reason = this.#refusal(request);
    if (reason !== undefined) {
      if (refused.active) refused.emit({ what: "connection", reason });
      return answer(response, { status: 403 });
    }
    const { origin } = request.headers;
    // Pages of other origins read an answer only if it names theirs, which was checked.
    if (origin !== undefined)
      response.setHeader("access-control-allow-origin", origin).setHeader("vary", "origin");
    switch (request.method) {
      case "GET":
        return this.#poll(mount, request, response);
      case "POST":
        return this.#post(mount, request, response);
      case "OPTIONS":
        return preflight(request, response);
      case undefined:
      default:
        response.writeHead(400, { "cache-control": "no-store" }).end();
    }
  }

  #refusal(request: IncomingMessage): string | undefined {
    const { limits, policy } = this.#engine;
    if (request.rawHeaders.length / 2 > limits.maxHeaders)
      return `more than ${limits.maxHeaders} headers`;
    const facts = fetchFactsOf(request);
    const host = allowedHost(facts.host, policy);
    const verdict = host.allowed ? allowedOrigin(facts, policy) : host;
    return verdict.allowed ? undefined : verdict.reason;
  }

  #poll(mount: PolledMount, request: IncomingMessage, response: ServerResponse): void {
    const session = this.#sessionOf(mount, request);
    if (session !== undefined)
      return session.line.poll(pollBy(response, session.line), session.after);
    const connect = new LongPollConnect(this.#engine, mount, request, response, {
      accepted: (peer) => this.#open(mount, peer, response),
      refused: (status, retryAfterSeconds) => {
        if (retryAfterSeconds !== undefined) response.setHeader("retry-after", retryAfterSeconds);
        answer(response, { status });
      },
    });
    this.#engine.connect(connect);
  }

  #open(mount: PolledMount, peer: Peer, response: ServerResponse): LongPollSession {
    const { system } = this.#engine;
    const id = sessionId();
    const token = (number: number): string =>
      this.#tokens.make({ id, answer: number, madeMs: system.runtime.now() });
    const { limits } = mount.world;
    const line = new LongPollSession(
      { system, limits, windowMs: mount.windowMs, token, ended: () => this.#sessions.delete(id) },
      peer,
    );
    this.#sessions.set(id, { mount, line });
    answer(response, { status: 410, token: token(0), messages: [] });
    return line;
  }

  #post(mount: PolledMount, request: IncomingMessage, response: ServerResponse): void {
    const session = this.#sessionOf(mount, request);
    if (session === undefined) return answer(response, { status: 410 });
    const { line } = session;
    const { limits } = mount.world;
    const post: Post = {
      messages: undefined,
      answer: (status) => answer(response, { status }),
    };
    if (!line.post(post)) return;
    response.on("close", () => line.withdraw(post));
    readBody(request, limits.maxPollBodyBytes, (body) => {
      if (body !== undefined) {
        post.messages = readPost(body, isBatch(request.headers["content-type"]), limits);
        return line.posted();
      }
      if (refused.active) refused.emit({ what: "message", reason: "a POST that is too long" });
      line.withdraw(post);
      // What is left of it is not read.
      if (!response.headersSent) response.setHeader("connection", "close");
      answer(response, { status: 413 });
    });
  }

  /** The session whose token a request bears: in its header, or else in its query, where older clients put it. */
  #sessionOf(mount: PolledMount, request: IncomingMessage): Session | undefined {
    const token = headerOf(request, tokenHeader) ?? tokenOf(queryOf(request));
    const read = this.#tokens.read(token);
    if (read === undefined) return undefined;
    const { system, limits } = this.#engine;
    if (system.runtime.now() - read.madeMs > limits.pollTokenMaxAgeMs) return undefined;
    const session = this.#sessions.get(read.id);
    return session?.mount === mount ? { ...session, after: read.answer } : undefined;
  }
}

/** A poll as its session sees it. */
function pollBy(response: ServerResponse, line: LongPollSession): Poll {
  const poll: Poll = {
    answer(status: PollStatus, token: string | null, messages: readonly string[]): void {
      answer(response, { status, token, messages });
    },
  };
  response.on("close", () => {
    if (!response.writableFinished) line.lost(poll);
  });
  return poll;
}

/** Reads a body up to a number of bytes; beyond, nothing is handed on. What is cut off is nobody's. */
function readBody(
  request: IncomingMessage,
  maxBytes: number,
  done: (body: Buffer | undefined) => void,
): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const end = (body: Buffer | undefined): void => {
    request.off("data", onData).off("end", onEnd);
    done(body);
  };
  const onData = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes > maxBytes) end(undefined);
    else chunks.push(chunk);
  };
  const onEnd = (): void => end(Buffer.concat(chunks, bytes));
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) return done(undefined);
  request.on("data", onData).on("end", onEnd);
}

function preflight(request: IncomingMessage, response: ServerResponse): void {
  const asked = request.headers["access-control-request-headers"];
  response
    .writeHead(200, {
      "access-control-allow-headers":
        asked !== undefined && HEADER_NAMES.test(asked) ? asked : ownHeaders,
      "access-control-allow-methods": "get, post, options",
      "access-control-max-age": String(preflightAgeSeconds),
      "cache-control": "no-store",
      "content-length": 0,
    })
    .end();
}

interface Answer {
  readonly status: number;
  readonly token?: string | null;
  readonly messages?: readonly string[];
}

function answer(response: ServerResponse, body: Answer): void {
  if (response.headersSent || response.destroyed) return;
  const text = JSON.stringify(body);
  response
    .writeHead(200, {
      "content-type": "application/json; charset=utf-8",
      "content-length": Buffer.byteLength(text),
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    })
    .end(text);
}
