// Checks a connection request before any callback of the user runs: facts in, a verdict out.
import type { RefusalStatus } from "../transport/attempt.ts";
import { checkToken, readOffer } from "./auth-token.ts";
import type { Limits } from "../limits.ts";
import type { Mount } from "./mount.ts";
import { allowedHost, allowedOrigin, type OriginPolicy, type RequestFacts } from "./origin.ts";
import { readQuery, type Params } from "./params.ts";
import type { Serializer } from "../wire/serializer.ts";

/** A request to connect, as far as the checks ask. */
export interface ConnectRequest extends RequestFacts {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  /** The sub-protocols it offers, as a header. */
  readonly protocols?: string | undefined;
  /** The token that it brings in a header of its own. */
  readonly authToken?: string | undefined;
  readonly headerCount: number;
  /** What is wrong with it as a request of its transport. */
  readonly fault?: string | undefined;
}

/** In, or why not. */
export type ConnectVerdict =
  | {
      readonly kind: "admitted";
      readonly params: Params;
      readonly version: Serializer["version"];
      readonly authToken: string | undefined;
    }
  | { readonly kind: "refused"; readonly status: RefusalStatus; readonly reason: string };

/** Checks in the order of their cost; the reason is for whoever runs the program, the client is told the status alone. */
export function checkConnect(
  request: ConnectRequest,
  policy: OriginPolicy,
  limits: Limits,
): ConnectVerdict {
  if (request.method !== "GET") return refused(400, "a method other than GET");
  if (request.headerCount > limits.maxHeaders)
    return refused(431, `more than ${limits.maxHeaders} headers`);
  if (request.fault !== undefined) return refused(400, request.fault);
  const host = allowedHost(request.host, policy);
  if (!host.allowed) return refused(403, host.reason);
  const origin = allowedOrigin(request, policy);
  if (!origin.allowed) return refused(403, origin.reason);
  const token = checkToken(request.authToken, limits);
  const offer = token.kind === "refused" ? token : readOffer(request.protocols, limits);
  if (offer.kind === "refused") return refused(403, offer.reason);
  const query = readQuery(request.query, limits);
  if (query.kind === "refused") return refused(403, query.reason);
  const { params, version } = query;
  const authToken = request.authToken ?? offer.authToken;
  return { kind: "admitted", params, version, authToken };
}

function refused(status: RefusalStatus, reason: string): ConnectVerdict {
  return { kind: "refused", status, reason };
}

/**
 * The mount at a path that ends with what it is reached by: `/socket` is `/socket/websocket`. One without variables comes
 * first, then the first that matches.
 */
export function mountAt(
  mounts: ReadonlyMap<string, Mount>,
  path: string,
  transport: "websocket" | "longpoll",
): Mount | undefined {
  if (!path.endsWith(`/${transport}`)) return undefined;
  const at = path.slice(0, -transport.length - 1);
  const exact = mounts.get(at);
  if (exact?.path.isExact === true) return exact;
  for (const mount of mounts.values())
    if (!mount.path.isExact && mount.path.match(at) !== undefined) return mount;
  return undefined;
}

/** The params of a connection with what stands at the variables of its mount's path, which count more. */
export function withVariables(params: Params, { path }: Mount, requested: string): Params {
  if (path.isExact) return params;
  const variables = path.match(requested.slice(0, requested.lastIndexOf("/")));
  return Object.assign(Object.create(null) as Params, params, variables);
}
