// The session tokens of long-polling: unguessable, short-lived, and each says which answer its holder got last.
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/** What a token says that this server has made. */
export interface LongPollToken {
  /** The session. */
  readonly id: string;
  /** The number of the answer it came with. */
  readonly answer: number;
  /** When it was made, on the clock of the Runtime. */
  readonly madeMs: number;
}

/** No token is longer. */
export const longestToken = 80;

const FORM = /^lp1\.([\w-]{22})\.([0-9a-z]{1,11})\.([0-9a-z]{1,11})\.([\w-]{22})$/;
const macBytes = 16;

/** A name for a session that nobody can guess. */
export function sessionId(): string {
  return randomBytes(16).toString("base64url");
}

/** Does a text look like a token, of whatever server? */
export function isToken(text: string): boolean {
  return text.length <= longestToken && FORM.test(text);
}

/** Makes and reads the tokens of one server: what another made, or somebody changed, is none. */
export class LongPollTokens {
  readonly #secret: Buffer = randomBytes(32);

  make({ id, answer, madeMs }: LongPollToken): string {
    const claims = `${id}.${answer.toString(36)}.${Math.floor(madeMs).toString(36)}`;
    return `lp1.${claims}.${this.#mac(claims).toString("base64url")}`;
  }

  read(text: string | undefined): LongPollToken | undefined {
    if (text === undefined || !isToken(text)) return undefined;
    const [, id, answer, made, mac] = FORM.exec(text) as unknown as [string, ...string[]];
    const claimed = Buffer.from(mac!, "base64url");
    if (!timingSafeEqual(this.#mac(`${id}.${answer}.${made}`), claimed)) return undefined;
    return {
      id: id!,
      answer: Number.parseInt(answer!, 36),
      madeMs: Number.parseInt(made!, 36),
    };
  }

  #mac(claims: string): Buffer {
    return createHmac("sha256", this.#secret).update(claims).digest().subarray(0, macBytes);
  }
}
