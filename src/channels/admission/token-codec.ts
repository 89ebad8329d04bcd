// The bytes of a token: `version, key id, signed at, age, payload, proof`, each of a known place and length. No name of an
// algorithm is read from it: a version is one algorithm.
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from "node:crypto";

/** What a token says beside its payload. */
export interface TokenHead {
  /** Milliseconds since 1970. */
  readonly signedAtMs: number;
  /** What whoever signed allowed. */
  readonly maxAgeMs: number;
}

/** A token that has proved to be ours. */
export interface Opened extends TokenHead {
  readonly payload: Buffer;
}

const keyBytes = 32;
const keyIdBytes = 4;
const timeBytes = 6;
const headBytes = 1 + keyIdBytes + 2 * timeBytes;
const proofBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;

/** One secret for one purpose: makes tokens of one version, and opens its own. */
export interface TokenKey {
  /** Names the key in its tokens; tells nothing of it. */
  readonly id: Buffer;
  seal(head: TokenHead, payload: Buffer): Buffer;
  /** Nothing for what this key has not made. */
  open(bytes: Buffer): Opened | undefined;
}

/** Payloads that everybody can read, and nobody can change. */
export function signingKey(secret: string, purpose: string): TokenKey {
  const version = 1;
  const { key, id } = derived(secret, `sign ${purpose}`);
  const proof = (bytes: Buffer): Buffer => createHmac("sha256", key).update(bytes).digest();
  return {
    id,
    seal: (head, payload) => {
      const body = Buffer.concat([encodeHead(version, id, head), payload]);
      return Buffer.concat([body, proof(body)]);
    },
    open: (bytes) => {
      if (bytes.length < headBytes + proofBytes || bytes[0] !== version) return undefined;
      const body = bytes.subarray(0, -proofBytes);
      if (!timingSafeEqual(proof(body), bytes.subarray(-proofBytes))) return undefined;
      return { ...decodeHead(body), payload: body.subarray(headBytes) };
    },
  };
}

/** Payloads that nobody else can read. */
export function encryptingKey(secret: string, purpose: string): TokenKey {
  const version = 2;
  const { key, id } = derived(secret, `encrypt ${purpose}`);
  return {
    id,
    seal: (head, payload) => {
      const start = encodeHead(version, id, head);
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(start);
      const hidden = [cipher.update(payload), cipher.final()];
      return Buffer.concat([start, nonce, ...hidden, cipher.getAuthTag()]);
    },
    open: (bytes) => {
      if (bytes.length < headBytes + nonceBytes + tagBytes || bytes[0] !== version)
        return undefined;
      const nonce = bytes.subarray(headBytes, headBytes + nonceBytes);
      const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: tagBytes })
        .setAAD(bytes.subarray(0, headBytes))
        .setAuthTag(bytes.subarray(-tagBytes));
      try {
        const shown = decipher.update(bytes.subarray(headBytes + nonceBytes, -tagBytes));
        return { ...decodeHead(bytes), payload: Buffer.concat([shown, decipher.final()]) };
      } catch {
        return undefined;
      }
    },
  };
}

/** Which key a token names; the version is not looked at. */
export function keyIdOf(bytes: Buffer): Buffer {
  return bytes.subarray(1, 1 + keyIdBytes);
}

/** RFC 5869: one secret, and as many keys that tell nothing of each other as there are purposes. */
function derived(secret: string, purpose: string): { readonly key: Buffer; readonly id: Buffer } {
  const bytes = Buffer.from(
    hkdfSync("sha256", secret, "sluice token", purpose, keyBytes + keyIdBytes),
  );
  return { key: bytes.subarray(0, keyBytes), id: bytes.subarray(keyBytes) };
}

function encodeHead(version: number, id: Buffer, { signedAtMs, maxAgeMs }: TokenHead): Buffer {
  const head = Buffer.alloc(headBytes);
  head[0] = version;
  id.copy(head, 1);
  head.writeUIntBE(signedAtMs, 1 + keyIdBytes, timeBytes);
  head.writeUIntBE(maxAgeMs, 1 + keyIdBytes + timeBytes, timeBytes);
  return head;
}

function decodeHead(bytes: Buffer): TokenHead {
  return {
    signedAtMs: bytes.readUIntBE(1 + keyIdBytes, timeBytes),
    maxAgeMs: bytes.readUIntBE(1 + keyIdBytes + timeBytes, timeBytes),
  };
}
