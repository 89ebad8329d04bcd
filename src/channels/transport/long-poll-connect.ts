import type { IncomingMessage, ServerResponse } from "node:http";
import type { RefusalStatus } from "./attempt.ts";
import type { ConnectRequest } from "../admission/connect-checks.ts";
import { fetchFactsOf, headerOf, pathOf, queryOf, safeHeaders } from "./http-request.ts";
import { isToken } from "./long-poll-token.ts";
import type { Mount } from "../admission/mount.ts";
import { PendingConnection, type Host } from "./pending-connection.ts";
import type { Peer, Transport } from "./transport.ts";

/** What a poll that is no session's yet may be answered with. */
export interface FirstAnswer {
  /** It is let in: a session is made, and its token answered. */
  accepted(peer: Peer): Transport;
  refused(status: 403 | 500, retryAfterSeconds?: number): void;
}

/** A poll without a session, which asks for one. */
export class LongPollConnect extends PendingConnection {
  override readonly carriesBytes = false;
  protected readonly line = "longpoll";
  readonly #request: IncomingMessage;
  readonly #answer: FirstAnswer;
  readonly #onClose = (): void => this.hangUp();
  readonly #response: ServerResponse;

  constructor(
    host: Host,
    mount: Mount,
    request: IncomingMessage,
    response: ServerResponse,
    answer: FirstAnswer,
  ) {
    super(host, mount, request.socket, headerOf(request, "x-forwarded-for"));
    this.#request = request;
    this.#answer = answer;
    this.#response = response.on("close", this.#onClose);
  }

  get request(): ConnectRequest {
    const { method = "", rawHeaders } = this.#request;
    return {
      ...fetchFactsOf(this.#request),
      method,
      path: pathOf(this.#request),
      authToken: headerOf(this.#request, "x-phoenix-authtoken"),
      query: withoutToken(queryOf(this.#request)),
      headerCount: rawHeaders.length / 2,
    };
  }

  get headers(): Headers {
    return safeHeaders(this.#request.headers);
  }

  protected open(peer: Peer): Transport | undefined {
    this.#response.off("close", this.#onClose);
    return this.#answer.accepted(peer);
  }

  /** Clients know two refusals: one for good, and one that may pass. */
  protected turnAway(status: RefusalStatus, retryAfterSeconds?: number): void {
    this.#response.off("close", this.#onClose);
    this.#answer.refused(status >= 500 ? 500 : 403, retryAfterSeconds);
  }
}

/** The last `token` of a query: the session's comes behind a param of that name. */
export function tokenOf(query: string): string | undefined {
  for (const pair of query.split("&").reverse())
    if (pair.startsWith("token=")) return pair.slice("token=".length);
  return undefined;
}

/** A query without the token of a session that is gone: it is no param, and nobody is told of it. */
function withoutToken(query: string): string {
  const token = tokenOf(query);
  if (token === undefined || !isToken(token)) return query;
  const at = query.lastIndexOf(`token=${token}`);
  return query.slice(0, at) + query.slice(at + `token=${token}`.length);
}
