// Who may talk to an endpoint: the page that a browser names as `Origin`, under a name of ours in `Host`. Browsers let
// any page open a WebSocket to any host and send the user's cookies along, and let any name point at a loopback address.
import { invalidOption } from "../../support/internal.ts";

/** What a request says about where it comes from and whom it asks. */
export interface RequestFacts {
  /** The `Origin` header; browsers always send it with a WebSocket. */
  readonly origin: string | undefined;
  /** The `Host` header. */
  readonly host: string | undefined;
  /** Did it come over TLS to this very server? */
  readonly isSecure: boolean;
  /** Is there a `Cookie` header? */
  readonly hasCookie: boolean;
}

/** Whom to let in, beyond the endpoint's own pages under its own names. */
export interface OriginOptions {
  /** Address the server is bound to; default `"127.0.0.1"`. */
  readonly host?: string;
  /** Names the server is reached by, besides loopback's and `host`: `"app.example.com"`, `"*.example.com"`. */
  readonly allowedHosts?: readonly string[];
  /**
   * Origins let in besides the endpoint's own: `"https://app.example.com"`, `"https://*.example.com"` (that host and all
   * below it), `"//example.com"` (any scheme and port). A scheme implies its port.
   */
  readonly checkOrigin?: readonly string[];
  /** Lets the pages of everybody in, with the cookies of the user who looks at them. */
  readonly dangerouslyAllowAnyOrigin?: boolean;
}

/** `OriginOptions`, read once; each mount has its own. */
export interface OriginPolicy {
  readonly anyOrigin: boolean;
  readonly anyAddress: boolean;
  readonly hosts: readonly Pattern[];
  readonly origins: readonly Pattern[];
}

/** Yes, or why not; the reason is for the log and holds nothing that was sent. */
export type Verdict =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly reason: string };

interface Authority {
  readonly host: string;
  readonly port: number | undefined;
}
interface Pattern extends Authority {
  readonly scheme: string | undefined;
  readonly below: boolean;
}

const ORIGIN = /^([a-z][a-z0-9+.-]*):\/\/(.+)$/i;
const PATTERN = /^(?:(?:([a-z][a-z0-9+.-]*):)?(\/\/))?(\*\.)?(.+)$/i;
const AUTHORITY = /^([^\s/?#@\\:[\]*%,]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?$/i;
const ADDRESS = /^(?:\d+\.\d+\.\d+\.\d+|\[.+\])$/;
const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];
const UNSPECIFIED = ["0.0.0.0", "::", "[::]"];
const allowed: Verdict = { allowed: true };

/** What texts were read as: nearly all clients of an endpoint say the same. Bounded, for some say what they like. */
const authorities = new Map<string, Authority>();
const mostKept = 100;
const longestKept = 100;

/**
 * Reads the options of one mount.
 *
 * @throws SluiceError `SLUICE_INVALID_OPTION` for an entry that is no host or origin, for a bare `*`, and for no list.
 */
export function originPolicy(options: OriginOptions = {}): OriginPolicy {
  const {
    host = "127.0.0.1",
    allowedHosts = [],
    checkOrigin = [],
    dangerouslyAllowAnyOrigin = false,
  } = options;
  // A check is not to be switched off by what was meant otherwise: `"false"` is true.
  for (const [option, list] of Object.entries({ allowedHosts, checkOrigin }))
    if (!Array.isArray(list)) throw invalidOption(option, list, "a list, which may be empty");
  if (typeof dangerouslyAllowAnyOrigin !== "boolean")
    throw invalidOption("dangerouslyAllowAnyOrigin", dangerouslyAllowAnyOrigin, "true or false");
  const anyAddress = UNSPECIFIED.includes(host);
  const bound = anyAddress
    ? []
    : [host.includes(":") && !host.startsWith("[") ? `[${host}]` : host];
  return {
    anyOrigin: dangerouslyAllowAnyOrigin,
    anyAddress,
    hosts: [
      ...[...LOOPBACK, ...bound].map((name) => readPattern("host", name)),
      ...allowedHosts.map((name) => readHostPattern(name)),
    ],
    origins: checkOrigin.map((entry) => readPattern("checkOrigin", entry)),
  };
}

/**
 * May a request ask for this host? Loopback's names, the bound host and `allowedHosts`; where the server is bound to all
 * addresses, also any address (a page cannot make a browser send an address for a name it rebound). Ports don't matter.
 */
export function allowedHost(host: string | undefined, policy: OriginPolicy): Verdict {
  const asked = host === undefined ? undefined : readAuthority(host);
  if (asked === undefined) return refused("no Host, or not one");
  if (policy.anyAddress && ADDRESS.test(asked.host)) return allowed;
  if (policy.hosts.some((pattern) => coversHost(pattern, asked.host))) return allowed;
  return refused("the Host is not one of this endpoint's; list it in allowedHosts");
}

/**
 * May this page connect? The endpoint's own (scheme, host and port of the request, whose host must itself be allowed)
 * and those of `checkOrigin`. Without an Origin it is no browser's page: let in unless it brings a cookie. An origin
 * that is no scheme and host (`null`, `file://`) is refused.
 */
export function allowedOrigin(request: RequestFacts, policy: OriginPolicy): Verdict {
  if (policy.anyOrigin) return allowed;
  if (request.origin === undefined)
    return request.hasCookie ? refused("a cookie without an Origin") : allowed;
  const [, scheme = "", authority = ""] = ORIGIN.exec(request.origin) ?? [];
  const from = readAuthority(authority);
  if (from === undefined) return refused("the Origin is no scheme and host");
  const origin = {
    scheme: scheme.toLowerCase(),
    host: from.host,
    port: from.port ?? defaultPort(scheme),
  };
  if (policy.origins.some((pattern) => covers(pattern, origin))) return allowed;
  const asked = allowedHost(request.host, policy);
  if (!asked.allowed) return asked;
  if (isOwn(origin, request)) return allowed;
  return refused("the Origin is not this endpoint's own; list it in checkOrigin");
}

function isOwn(origin: Authority & { readonly scheme: string }, request: RequestFacts): boolean {
  const scheme = request.isSecure ? "https" : "http";
  const own = readAuthority(request.host ?? "");
  return (
    origin.scheme === scheme &&
    origin.host === own?.host &&
    origin.port === (own.port ?? defaultPort(scheme))
  );
}

function covers(pattern: Pattern, origin: Authority & { readonly scheme: string }): boolean {
  const { scheme } = pattern;
  const port = pattern.port ?? (scheme === undefined ? origin.port : defaultPort(scheme));
  return (
    (scheme ?? origin.scheme) === origin.scheme &&
    port === origin.port &&
    coversHost(pattern, origin.host)
  );
}

/** By whole labels, so that `evil-example.com` is not below `example.com`. */
function coversHost({ host, below }: Pattern, asked: string): boolean {
  return asked === host || (below && asked.endsWith(`.${host}`) && !/^\.|\.\./.test(asked));
}

function readPattern(option: string, entry: string): Pattern {
  const [, scheme, , star, authority = ""] = PATTERN.exec(entry) ?? [];
  const read = readAuthority(authority);
  if (read !== undefined)
    return { ...read, scheme: scheme?.toLowerCase(), below: star !== undefined };
  const hint = entry === "*" ? "; for all there is dangerouslyAllowAnyOrigin" : "";
  throw invalidOption(
    option,
    entry,
    `a host, \`*.\` and a host, or these with a scheme or port${hint}`,
  );
}

function readHostPattern(entry: string): Pattern {
  const pattern = readPattern("allowedHosts", entry);
  if (pattern.port === undefined && !entry.includes("//")) return pattern;
  throw invalidOption("allowedHosts", entry, "a host, or `*.` and a host, without scheme and port");
}

/** The host in the one spelling that all browsers give it: small letters, Punycode, plain addresses. */
function readAuthority(text: string): Authority | undefined {
  const known = authorities.get(text);
  if (known !== undefined) return known;
  const authority = parseAuthority(text);
  if (authority === undefined || text.length > longestKept) return authority;
  if (authorities.size >= mostKept) authorities.clear();
  authorities.set(text, authority);
  return authority;
}

function parseAuthority(text: string): Authority | undefined {
  const [, name, port] = AUTHORITY.exec(text) ?? [];
  const host = name === undefined ? undefined : URL.parse(`http://${name}`)?.hostname;
  return host ? { host, port: port === undefined ? undefined : Number(port) } : undefined;
}

function defaultPort(scheme: string): number | undefined {
  return scheme.toLowerCase() === "https" ? 443 : scheme.toLowerCase() === "http" ? 80 : undefined;
}

function refused(reason: string): Verdict {
  return { allowed: false, reason };
}
