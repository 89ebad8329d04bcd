// Checks a connection request before any callback of the user runs: facts in, a verdict out.
import type { RefusalStatus } from "./attempt.ts";
import type { Limits } from "./limits.ts";
import type { Mount } from "./mount.ts";
import { allowedHost, allowedOrigin, type OriginPolicy, type RequestFacts } from "./origin.ts";
import { readQuery, type Params } from "./params.ts";
import type { Serializer } from "./serializer.ts";

/** A request to connect, as far as the checks ask. */
export interface ConnectRequest extends RequestFacts {
  readonly method: string;
  readonly query: string;
  readonly headerCount: number;
}

/** In, or why not. */
export type ConnectVerdict =
  | {
      readonly kind: "admitted";
      readonly params: Params;
      readonly version: Serializer["version"];
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
  const host = allowedHost(request.host, policy);
  if (!host.allowed) return refused(403, host.reason);
  const origin = allowedOrigin(request, policy);
  if (!origin.allowed) return refused(403, origin.reason);
  const query = readQuery(request.query, limits);
  if (query.kind === "refused") return refused(403, query.reason);
  const { params, version } = query;
  return { kind: "admitted", params, version };
}

function refused(status: RefusalStatus, reason: string): ConnectVerdict {
  return { kind: "refused", status, reason };
}

/** The mount at a path that ends with what it is reached by: `/socket` is `/socket/websocket`. */
export function mountAt(
  mounts: ReadonlyMap<string, Mount>,
  path: string,
  transport: "websocket" | "longpoll",
): Mount | undefined {
  return path.endsWith(`/${transport}`)
    ? mounts.get(path.slice(0, -transport.length - 1))
    : undefined;
}
