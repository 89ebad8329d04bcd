// What a client brings to prove who it is: the stock client's `authToken`, a sub-protocol beside `"phoenix"`.
import type { Limits } from "../limits.ts";

/** The sub-protocol of clients that name one. */
export const subprotocol = "phoenix";

const PREFIX = "base64url.bearer.phx.";
/** Both alphabets: the stock client's is `btoa`'s, whatever the prefix says. */
const BASE64 = /^(?:[A-Za-z0-9+/_-]{4})*(?:[A-Za-z0-9+/_-]{2,3})?$/;

/** What a client offers, or why it is refused; the reason holds nothing of the token. */
export type Offer =
  | { readonly kind: "offer"; readonly authToken: string | undefined }
  | { readonly kind: "refused"; readonly reason: string };

const none: Offer = { kind: "offer", authToken: undefined };

/**
 * Reads a `Sec-WebSocket-Protocol` header: at most one token, and `"phoenix"` if there is any other.
 *
 * @returns the token as the client was given it: each character is a byte, as `btoa` takes them
 */
export function readOffer(
  header: string | undefined,
  limits: Pick<Limits, "maxAuthTokenBytes">,
): Offer {
  if (header === undefined) return none;
  const offered = protocolsOf(header);
  const tokens = offered.filter(isToken);
  if (tokens.length > 1) return refused("more than one auth token");
  if (tokens.length < offered.length && !offered.includes(subprotocol))
    return refused("sub-protocols without `phoenix`");
  const [token] = tokens;
  if (token === undefined) return none;
  const encoded = token.slice(PREFIX.length);
  if ((encoded.length / 4) * 3 > limits.maxAuthTokenBytes + 2) return tooLong(limits);
  if (!BASE64.test(encoded)) return refused("an auth token that is no base64");
  const authToken = Buffer.from(encoded, "base64").toString("latin1");
  return checkToken(authToken, limits);
}

/** A token that came as it is, in a header of its own. */
export function checkToken(
  authToken: string | undefined,
  limits: Pick<Limits, "maxAuthTokenBytes">,
): Offer {
  if (authToken !== undefined && authToken.length > limits.maxAuthTokenBytes)
    return tooLong(limits);
  return { kind: "offer", authToken };
}

/** The header for all others to see: without the token; undefined when nothing is left. */
export function withoutToken(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const rest = protocolsOf(header).filter((protocol) => !isToken(protocol));
  return rest.length === 0 ? undefined : rest.join(", ");
}

function protocolsOf(header: string): string[] {
  return header.split(",").map((protocol) => protocol.trim());
}

function isToken(protocol: string): boolean {
  return protocol.startsWith(PREFIX);
}

function tooLong({ maxAuthTokenBytes }: Pick<Limits, "maxAuthTokenBytes">): Offer {
  return refused(`an auth token over ${maxAuthTokenBytes} bytes`);
}

function refused(reason: string): Offer {
  return { kind: "refused", reason };
}
