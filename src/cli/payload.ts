import type { Format } from "./options.ts";

/** What a channel event carries: a JSON object. */
export type Payload = { readonly [key: string]: unknown };

/** A line that is no JSON, by its number in the input (from 1). */
export interface BadLine {
  readonly line: number;
  /** Why, without a word of what was in it. */
  readonly reason: string;
}

/** Deeper than this, JSON is refused: what is decoded must also be encoded again, which is recursive. */
export const maxJsonDepth = 64;

/** The key that belongs to Sluice: receipts and recent messages travel under it. */
const reservedKey = "~";

/** The payload for a value: an object as it is, else `{ data }`; so is an object that uses the reserved key `"~"`. */
export function toPayload(value: unknown): Payload {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject && !Object.hasOwn(value, reservedKey) ? (value as Payload) : { data: value };
}

/**
 * Turns lines into payloads and counts them. `lines`: each line, also an empty one, is `{ data: line }`. `ndjson`: empty
 * lines mean nothing; a line that is no JSON, or nested more than 64 deep, is counted in `badLines` and told to `onBad`,
 * which decides whether it is left out or the reading stops there.
 */
export class PayloadReader {
  /** Lines seen so far, bad and empty ones included. */
  lines = 0;
  /** Lines left out so far. */
  badLines = 0;
  /** The last of them. */
  lastBad: BadLine | undefined = undefined;
  readonly #format: Format;
  readonly #onBad: (bad: BadLine) => "skip" | "stop";

  constructor(format: Format, onBad: (bad: BadLine) => "skip" | "stop") {
    this.#format = format;
    this.#onBad = onBad;
  }

  /** The payloads of the next lines, in order; up to the bad line where the reading stopped. */
  read(lines: readonly string[]): Payload[] {
    if (this.#format === "lines") {
      this.lines += lines.length;
      return lines.map((data) => ({ data }));
    }
    const payloads: Payload[] = [];
    for (const line of lines) {
      this.lines += 1;
      if (isBlank(line)) continue;
      const parsed = parseJson(line);
      if ("reason" in parsed) {
        this.badLines += 1;
        this.lastBad = { line: this.lines, reason: parsed.reason };
        if (this.#onBad(this.lastBad) === "stop") break;
      } else {
        payloads.push(toPayload(parsed.value));
      }
    }
    return payloads;
  }
}

/** JSON has nothing here; a stray byte order mark neither. */
export function isBlank(text: string): boolean {
  return text.trim() === "";
}

/** Parsed JSON, or why it is none; `at` is the offset in the text where that is known. */
export type ParsedJson =
  | { readonly value: unknown }
  | { readonly reason: string; readonly at?: number };

/** Parses JSON that is nested at most 64 deep. Never throws. */
export function parseJson(text: string): ParsedJson {
  const tooDeep = deeperThan(text, maxJsonDepth);
  if (tooDeep !== undefined)
    return { reason: `nested more than ${maxJsonDepth} deep`, at: tooDeep };
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    return refuseJson(text, error);
  }
}

/** The engine's own message quotes the input, which belongs in no log; its position is kept. */
function refuseJson(text: string, error: unknown): ParsedJson {
  const message = error instanceof Error ? error.message : "";
  const [, position] = /at position (\d+)/.exec(message) ?? [];
  if (position !== undefined)
    return { reason: `not valid JSON at character ${Number(position) + 1}`, at: Number(position) };
  return message.includes("end of JSON")
    ? { reason: "not valid JSON: it ends too early", at: text.length }
    : { reason: "not valid JSON" };
}

/** The offset of the first bracket beyond `limit`. Few texts have so many brackets, and those alone are walked through. */
function deeperThan(text: string, limit: number): number | undefined {
  let openings = 0;
  for (const bracket of ["{", "["]) {
    for (
      let at = text.indexOf(bracket);
      at >= 0 && openings <= limit;
      at = text.indexOf(bracket, at + 1)
    )
      openings += 1;
  }
  if (openings <= limit) return undefined;
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (inString) {
      if (code === 0x5c) at++;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x7b || code === 0x5b) {
      if (++depth > limit) return at;
    } else if (code === 0x7d || code === 0x5d) depth--;
  }
  return undefined;
}
