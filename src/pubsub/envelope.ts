// What crosses between nodes: one line that says whose it is and what, then the text of the message.

/** What stands before a message. */
export interface Envelope {
  /** The life of the node it comes from: by it a node knows its own. */
  readonly from: string;
  /** Counts what that life has sent. No two messages are the same text, which a broker could take for one. */
  readonly seq: number;
  /** Which codec reads it, or what else it is. */
  readonly kind: string;
  /** The topic on the bus. */
  readonly topic: string;
  /** The message. */
  readonly text: string;
}

/** Of this form; what has another is of a version to come. */
const version = 1;

/** As text. */
export function seal({ from, seq, kind, topic, text }: Envelope): string {
  return `${JSON.stringify([version, from, seq, kind, topic])}\n${text}`;
}

/** From text; whatever it is, it throws nothing. `undefined` is none of ours, `null` of a version we do not know. */
export function open(sealed: string): Envelope | undefined | null {
  const end = sealed.indexOf("\n");
  if (end === -1) return undefined;
  let head: unknown;
  try {
    head = JSON.parse(sealed.slice(0, end));
  } catch {
    return undefined;
  }
  if (!Array.isArray(head) || typeof head[0] !== "number") return undefined;
  if (head[0] !== version) return null;
  const [, from, seq, kind, topic] = head as unknown[];
  if (typeof from !== "string" || typeof kind !== "string" || typeof topic !== "string")
    return undefined;
  if (!Number.isSafeInteger(seq)) return undefined;
  return { from, seq: seq as number, kind, topic, text: sealed.slice(end + 1) };
}

/** Bytes of UTF-8, counted only where the length does not tell enough. */
export function isWithin(text: string, maxBytes: number): boolean {
  if (text.length * 3 <= maxBytes) return true;
  return text.length <= maxBytes && utf8Bytes(text) <= maxBytes;
}

/** Bytes of UTF-8. */
export function utf8Bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}
