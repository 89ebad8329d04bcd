import { invalidOption } from "./errors.ts";

/** Nothing in browsers. */
const nodeCrypto = () => globalThis.process?.getBuiltinModule?.("node:crypto");
type Crypto = NonNullable<ReturnType<typeof nodeCrypto>>;
type Key = ReturnType<Crypto["createSecretKey"]>;

const keyBytes = 32;
const idBytes = 4;
const idLength = 6;
/** The name of a key, and 32 bytes. */
const proofPattern = /^[\w-]{49}$/;
const encoder = new TextEncoder();

/** Characters of a proof. */
export const proofLength = 49;

/**
 * Proves that a text is of somebody who holds a secret: HMAC-SHA-256, under a key that HKDF derives from the secret for one
 * purpose alone. The first secret signs, all verify; a proof names its key, so that a false one costs one look at most.
 */
export class Signer {
  readonly #crypto: Crypto;
  readonly #keys: ReadonlyMap<string, Key>;
  readonly #id: string;
  readonly #key: Key;

  /** @throws SLUICE_INVALID_OPTION where there is nothing to sign with, as in browsers */
  constructor(secrets: readonly string[], purpose: string) {
    const crypto = nodeCrypto();
    if (crypto === undefined)
      throw invalidOption("secrets", "secrets", "none where there is no node:crypto");
    const keys = secrets.map((secret) => {
      const bytes = crypto.hkdfSync("sha256", secret, "sluice proof", purpose, keyBytes + idBytes);
      const key = crypto.createSecretKey(new Uint8Array(bytes, 0, keyBytes));
      return [Buffer.from(bytes, keyBytes).toString("base64url"), key] as const;
    });
    this.#crypto = crypto;
    this.#keys = new Map(keys);
    [this.#id, this.#key] = keys[0]!;
  }

  /** A proof of that text: {@link proofLength} letters, digits, `-` and `_`. */
  sign(text: string): string {
    return this.#id + this.#mac(this.#key, text);
  }

  /** Is it the proof of that text? Never throws, whatever it is. */
  verifies(proof: string, text: string): boolean {
    if (!proofPattern.test(proof)) return false;
    const key = this.#keys.get(proof.slice(0, idLength));
    if (key === undefined) return false;
    const expected = encoder.encode(this.#mac(key, text));
    return this.#crypto.timingSafeEqual(expected, encoder.encode(proof.slice(idLength)));
  }

  #mac(key: Key, text: string): string {
    return this.#crypto.createHmac("sha256", key).update(text).digest("base64url");
  }
}
