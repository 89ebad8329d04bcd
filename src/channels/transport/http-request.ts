import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import { withoutToken } from "../admission/auth-token.ts";
import type { BoundAddress } from "../endpoint-options.ts";
import type { RequestFacts } from "../admission/origin.ts";

/** Tokens of the stock client are handed on by name, or are no business of callbacks. */
const wanted = /^(?:x-(?!phoenix-)|sec-websocket-)|^(?:user-agent|traceparent|tracestate)$/;

/** The path of a request, as it was sent, without its query. */
export function pathOf({ url = "/" }: IncomingMessage): string {
  const end = url.indexOf("?");
  return end < 0 ? url : url.slice(0, end);
}

/** The query of a request, without its `?`. */
export function queryOf({ url = "/" }: IncomingMessage): string {
  const start = url.indexOf("?");
  return start < 0 ? "" : url.slice(start + 1);
}

/** A header that may be sent once. */
export function headerOf({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" ? value : undefined;
}

/** What the checks ask of a request. */
export function factsOf({ headers, socket }: IncomingMessage): RequestFacts {
  return {
    origin: headers.origin,
    host: headers.host,
    isSecure: (socket as Partial<TLSSocket>).encrypted === true,
    hasCookie: headers.cookie !== undefined,
  };
}

/**
 * The same of a request that browsers also send without an `Origin`: a page's own GET. There `Sec-Fetch-Site` says that it is
 * the page's own, or else the `Referer` says which page it is.
 */
export function fetchFactsOf(request: IncomingMessage): RequestFacts {
  const facts = factsOf(request);
  if (facts.origin !== undefined) return facts;
  const { "sec-fetch-site": site, referer } = request.headers;
  if (site === undefined || site === "none")
    return referer === undefined ? facts : { ...facts, origin: originOf(referer) };
  const own = `${facts.isSecure ? "https" : "http"}://${facts.host ?? ""}`;
  return { ...facts, origin: site === "same-origin" ? own : "null" };
}

/** The headers that a callback may see: none that a page of somebody else can make a browser send. */
export function safeHeaders(headers: IncomingMessage["headers"]): Headers {
  const safe = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (!wanted.test(name)) continue;
    const seen = name === "sec-websocket-protocol" ? withoutToken(String(value)) : value;
    for (const one of Array.isArray(seen) ? seen : [seen])
      if (one !== undefined) safe.append(name, one);
  }
  return safe;
}

function originOf(referer: string): string {
  const url = URL.parse(referer);
  return url === null ? "null" : url.origin;
}

/** An address as people and URLs spell it; one that stands for all addresses is loopback in the URL. */
export function boundAddress(host: string, port: number, isSecure = false): BoundAddress {
  const reached = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  const name = reached.includes(":") ? `[${reached}]` : reached;
  return { host, port, url: `http${isSecure ? "s" : ""}://${name}:${port}` };
}
