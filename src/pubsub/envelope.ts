// What crosses between nodes: one line that says whose it is and what, then the text of the message.

/** What stands before a message. */
export interface Envelope {
  /** The life of the node it comes from: by it a node knows its own. */
  readonly from: string;
  /** Counts from 1 what that life has sent. No two messages are the same text, which a broker could take for one. */
  readonly seq: number;
  /** The first of those that went on the same connection, where that followed on another. */
  readonly since?: number | undefined;
  /** Which codec reads it, or what else it is. */
  readonly kind: string;
  /** The topic on the bus. */
  readonly topic: string;
  /** The node that it is for, if it is for one alone. */
  readonly to?: string | undefined;
  /** The message. */
  readonly text: string;
}

/** How envelopes are written and read. */
export interface Sealing {
  seal(envelope: Envelope): string;
  /** Whatever it is, it throws nothing. `null`: of a version we do not know. A text: why it is let go. */
  open(text: string): Envelope | string | null;
}

/** Of this form; what has another is of a version to come. */
const version = 1;
const notOurs = "no message of a node";

/** As text. */
export function seal({ from, seq, since = 0, kind, topic, to, text }: Envelope): string {
  const head: unknown[] = [version, from, seq, kind, topic];
  if (to !== undefined || since > 0) head.push(to ?? null);
  if (since > 0) head.push(since);
  return `${JSON.stringify(head)}\n${text}`;
}

/** From text, as {@link Sealing} says. */
export function open(sealed: string): Envelope | string | null {
  const end = sealed.indexOf("\n");
  if (end === -1) return notOurs;
  let head: unknown;
  try {
    head = JSON.parse(sealed.slice(0, end));
  } catch {
    return notOurs;
  }
  if (!Array.isArray(head) || typeof head[0] !== "number") return notOurs;
  if (head[0] !== version) return null;
  const [, from, seq, kind, topic, to, since] = head as unknown[];
  if (typeof from !== "string" || typeof kind !== "string" || typeof topic !== "string")
    return notOurs;
  if (!Number.isSafeInteger(seq) || (seq as number) < 1) return notOurs;
  if (since !== undefined && !Number.isSafeInteger(since)) return notOurs;
  if (to !== undefined && to !== null && typeof to !== "string") return notOurs;
  const text = sealed.slice(end + 1);
  return {
    from,
    seq: seq as number,
    since: since as number | undefined,
    kind,
    topic,
    to: to ?? undefined,
    text,
  };
}

/** Does it say that it is of that life? */
export function isOwn(sealed: string, from: string): boolean {
  return sealed.startsWith(`[${version},${JSON.stringify(from)},`);
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
