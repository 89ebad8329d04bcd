// The query of a connection's URL, as the stock client writes it: `user=7&filter%5Bkind%5D=new&vsn=2.0.0`.
import { type Limits, defaultLimits } from "../limits.ts";
import type { Serializer } from "../wire/serializer.ts";

/** Params as they were nested by brackets; records without a prototype, so that no name is special. */
export interface Params {
  readonly [name: string]: string | Params;
}

/** What a query says, or why its connection is refused; the reason is for the log and holds nothing of the query but a well-formed version. */
export type ConnectQuery =
  | { readonly kind: "params"; readonly params: Params; readonly version: Serializer["version"] }
  | { readonly kind: "refused"; readonly reason: string };

type Writable = { [name: string]: string | Writable };

/** `a[b][c]`: a name, then brackets that hold none. Anything else is a name as it stands. */
const NESTED = /^[^[\]]+(?:\[[^[\]]*\])+$/;
/** Text that says what it means: nothing in it is encoded, or is no UTF-8. */
const PLAIN = /^[ -$&-*,-~]*$/;
const COMPLETE_VERSION = /^\d{1,9}\.\d{1,9}\.\d{1,9}$/;
/** Of each, what differs in the last number is the same. */
const versions = ["2.0.0", "1.0.0"] as const;

/**
 * Reads a query (without its `?`): nested params, and the serializer's version, which is checked and taken out. Stray
 * `&`s are ignored, the last of equal names counts, and text that is no UTF-8 becomes U+FFFD.
 */
export function readQuery(query: string, limits: Limits = defaultLimits): ConnectQuery {
  const params = record();
  const pairs = pairsOf(query);
  if (pairs.length > limits.maxParams) return refused(`more than ${limits.maxParams} params`);
  let vsn: unknown = "1.0.0";
  for (const [name, value] of pairs) {
    if (name === "vsn") {
      vsn = value;
      continue;
    }
    if (!NESTED.test(name)) {
      params[name] = value;
      continue;
    }
    const path = name.slice(0, -1).split(/\]?\[/);
    if (path.length > limits.maxParamDepth)
      return refused(`params nested deeper than ${limits.maxParamDepth}`);
    if (path[0] === "vsn") vsn = undefined;
    else put(params, path, value);
  }
  if (typeof vsn !== "string" || !COMPLETE_VERSION.test(vsn))
    return refused("invalid transport version");
  const version = versions.find((one) => vsn.startsWith(one.slice(0, -1)));
  if (version === undefined) {
    return refused(
      `requested transport version "${vsn}" does not match server's version requirements "~> 1.0.0, ~> 2.0.0"`,
    );
  }
  return { kind: "params", params, version };
}

/** What `URLSearchParams` reads, without one being made for texts that are plain. */
export function pairsOf(query: string): readonly (readonly [name: string, value: string])[] {
  const pairs: (readonly [string, string])[] = [];
  for (const pair of (query.startsWith("?") ? query.slice(1) : query).split("&")) {
    if (pair === "") continue;
    const at = pair.indexOf("=");
    const [name, value] = at < 0 ? [pair, ""] : [pair.slice(0, at), pair.slice(at + 1)];
    pairs.push([decoded(name), decoded(value)]);
  }
  return pairs;
}

function decoded(text: string): string {
  return PLAIN.test(text) ? text : new URLSearchParams(`=${text}`).get("")!;
}

/** The params that are not nested: what a `connect` callback takes. */
export function plainParams(params: Params): Readonly<Record<string, string>> {
  // Nearly all are: those are handed on as they are.
  if (Object.values(params).every((value) => typeof value === "string"))
    return params as Record<string, string>;
  const plain = Object.create(null) as Record<string, string>;
  for (const [name, value] of Object.entries(params))
    if (typeof value === "string") plain[name] = value;
  return plain;
}

function put(params: Writable, path: readonly string[], value: string): void {
  let inner = params;
  for (const name of path.slice(0, -1)) {
    const next = inner[name];
    inner = inner[name] = typeof next === "object" ? next : record();
  }
  inner[path.at(-1)!] = value;
}

function record(): Writable {
  return Object.create(null) as Writable;
}

function refused(reason: string): ConnectQuery {
  return { kind: "refused", reason };
}
