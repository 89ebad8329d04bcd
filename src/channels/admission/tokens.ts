import { checkInteger, checkSecrets, invalidOption } from "../../support/internal.ts";
import { currentSystem } from "../../runtime/internal.ts";
import { encryptingKey, keyIdOf, signingKey, type TokenKey } from "./token-codec.ts";

/** How tokens are made. */
export interface TokenOptions {
  /**
   * Secrets of at least 32 bytes each, such as `openssl rand -base64 32` prints. The first signs, all verify: to change the
   * secret, put the new one first, and take the old one away when its tokens are too old.
   */
  readonly secrets: readonly string[];
  /** What a token is good for at most, in ms; default one day. */
  readonly maxAgeMs?: number;
  /** Nobody but a holder of the secret can read the payload (AES-256-GCM); default: it is signed, and anybody can. */
  readonly encrypted?: boolean;
}

/** What became of a token: its payload, or why not. `"missing"`: there is none; `"invalid"`: it was not made here. */
export type Verified<P> =
  | { readonly status: "valid"; readonly payload: P }
  | { readonly status: "expired" | "invalid" | "missing" };

/** Makes tokens for one purpose, and opens them. */
export interface Tokens<P> {
  /**
   * A token, safe in URLs and headers, for anything that JSON can carry.
   *
   * @throws SluiceError `SLUICE_INVALID_OPTION` if the payload is no JSON, or the token would be over 4 KiB.
   */
  sign(payload: P): string;
  /**
   * Looks at what somebody brought; never throws for it. A token is as old as both its maker and `maxAgeMs` allow.
   *
   * @param token as it came, of whatever type
   * @param maxAgeMs what this use allows, in ms; more than was allowed when it was signed changes nothing
   */
  verify(token: unknown, maxAgeMs: number): Verified<P>;
}

const dayMs = 86_400_000;
const maxTokenBytes = 4_096;
/** Clocks of two servers may differ by this much. */
const skewMs = 60_000;
/** What six bytes hold. */
const maxTime = 2 ** 48 - 1;
const base64url = /^[\w-]+$/;

/**
 * Makes and verifies tokens that tell a server who connects, without a look into a database. HMAC-SHA-256, or AES-256-GCM when
 * `encrypted`, under a key that HKDF derives from the secret for this purpose alone: a token of another purpose is invalid.
 * Times are those of the wall clock, with a minute's grace between servers.
 *
 * ```ts
 * import { Refused, endpoint, tokens } from "sluice/channels";
 *
 * const secret = process.env["SECRET"] ?? "only-for-this-example-0123456789-abcdef";
 * const users = tokens<{ readonly user: string }>("user socket", { secrets: [secret] });
 * const token = users.sign({ user: "ada" });
 *
 * const verified = users.verify(token, 60_000);
 * console.info(verified.status === "valid" && verified.payload.user); // ada
 *
 * const web = endpoint<{}, { readonly user: string }>("web");
 * web.child({
 *   port: 4000,
 *   sockets: {
 *     "/socket": {
 *       connect({ token }) {
 *         const who = users.verify(token, 86_400_000);
 *         if (who.status !== "valid") throw new Refused({ reason: who.status });
 *         return who.payload;
 *       },
 *       channels: [],
 *     },
 *   },
 * });
 * ```
 *
 * @param purpose what its tokens are for, in a few words: the tokens of two purposes do not pass for each other
 * @throws SluiceError `SLUICE_INVALID_OPTION`: no secret, one that is too short or too plain, an age that is none.
 */
export function tokens<P>(purpose: string, options: TokenOptions): Tokens<P> {
  if (typeof options !== "object" || (options as object | null) === null)
    throw invalidOption("options of tokens", options, "an object");
  const { secrets, maxAgeMs = dayMs, encrypted = false } = options;
  if (typeof purpose !== "string" || purpose === "")
    throw invalidOption("purpose", purpose, "a text that is not empty");
  checkInteger("maxAgeMs", maxAgeMs, 1, maxTime);
  checkSecrets(secrets);
  const keyOf = encrypted ? encryptingKey : signingKey;
  return new TokenRing<P>(
    secrets.map((secret) => keyOf(secret, purpose)),
    maxAgeMs,
  );
}

class TokenRing<P> implements Tokens<P> {
  readonly #keys: readonly TokenKey[];
  readonly #maxAgeMs: number;

  constructor(keys: readonly TokenKey[], maxAgeMs: number) {
    this.#keys = keys;
    this.#maxAgeMs = maxAgeMs;
  }

  sign(payload: P): string {
    const head = { signedAtMs: wallNow(), maxAgeMs: this.#maxAgeMs };
    const token = this.#keys[0]!.seal(head, Buffer.from(jsonOf(payload))).toString("base64url");
    if (token.length <= maxTokenBytes) return token;
    throw invalidOption("payload", `a token of ${token.length} bytes`, `${maxTokenBytes} at most`);
  }

  verify(token: unknown, maxAgeMs: number): Verified<P> {
    checkInteger("maxAgeMs", maxAgeMs, 0, maxTime);
    if (token === undefined || token === null || token === "") return { status: "missing" };
    if (typeof token !== "string" || token.length > maxTokenBytes || !base64url.test(token))
      return invalid;
    const bytes = Buffer.from(token, "base64url");
    // The last character may hold bits that no byte does: a token has one spelling.
    if (bytes.toString("base64url") !== token) return invalid;
    const id = keyIdOf(bytes);
    const opened = this.#keys.find((key) => key.id.equals(id))?.open(bytes);
    if (opened === undefined) return invalid;
    const ageMs = wallNow() - opened.signedAtMs;
    if (ageMs < -skewMs) return invalid;
    if (Math.max(ageMs, 0) >= Math.min(maxAgeMs, opened.maxAgeMs)) return { status: "expired" };
    return { status: "valid", payload: JSON.parse(opened.payload.toString()) as P };
  }
}

const invalid = { status: "invalid" } as const;

/** A token goes from one server to another, and lives longer than both: no other clock is known to all of them. */
function wallNow(): number {
  return Math.floor(currentSystem().runtime.wallNow());
}

function jsonOf(payload: unknown): string {
  try {
    const json = JSON.stringify(payload) as string | undefined;
    if (json !== undefined) return json;
  } catch {
    // Refused below.
  }
  throw invalidOption("payload", typeof payload, "what JSON can carry");
}
