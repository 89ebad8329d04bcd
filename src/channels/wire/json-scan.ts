import type { Limits } from "../limits.ts";

/** What a look at a text tells before any of it is parsed. */
export interface JsonScan {
  /** The limit that is overstepped, in words for the client; undefined when all are kept. */
  readonly excess: string | undefined;
  /** Where the third element of the outermost array ends; 0 when the scan did not come that far. */
  readonly headEnd: number;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const HEAD_ELEMENTS = 3;
/** For each container that is open: whether it is an object, and how many commas it may still have. One for all scans. */
const isObject: boolean[] = [];
const commasLeft: number[] = [];

/**
 * Measures a text as JSON in one pass that does not recurse, so that a hostile text never reaches the parser. Exact for
 * JSON, harmless for anything else: what is no JSON is left for the parser to refuse.
 */
export function scanJson(
  text: string,
  limits: Pick<Limits, "maxJsonDepth" | "maxObjectKeys" | "maxArrayLength">,
): JsonScan {
  let depth = 0;
  let headElements = 0;
  let headEnd = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at);
    } else if (code === OPEN_BRACKET || code === OPEN_BRACE) {
      if (depth === limits.maxJsonDepth) {
        return { excess: `nested deeper than ${limits.maxJsonDepth}`, headEnd };
      }
      isObject[depth] = code === OPEN_BRACE;
      commasLeft[depth] = (isObject[depth] ? limits.maxObjectKeys : limits.maxArrayLength) - 1;
      depth++;
    } else if (code === CLOSE_BRACKET || code === CLOSE_BRACE) {
      depth = Math.max(0, depth - 1);
    } else if (code === COMMA && depth > 0) {
      if (depth === 1 && ++headElements === HEAD_ELEMENTS) headEnd = at;
      if (--commasLeft[depth - 1]! < 0) {
        const excess = isObject[depth - 1]
          ? `more than ${limits.maxObjectKeys} keys in an object`
          : `more than ${limits.maxArrayLength} entries in an array`;
        return { excess, headEnd };
      }
    }
  }
  return { excess: undefined, headEnd };
}

/**
 * The scalars that a text's outermost object has under some names, as JSON text, however deep and wide the rest of it is;
 * of equal names the last. Does not recurse; of what is no JSON it may find anything.
 */
export function scalarsOf(text: string, names: ReadonlySet<string>): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  let depth = 0;
  let name: string | undefined;
  let start = 0;
  const end = (at: number): void => {
    if (name !== undefined && names.has(name)) found.set(name, text.slice(start, at));
    name = undefined;
    start = at + 1;
  };
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at);
    } else if (code === OPEN_BRACKET || code === OPEN_BRACE) {
      // A value that is none of those asked for.
      if (depth++ === 1) name = undefined;
      else if (depth === 1) start = at + 1;
    } else if (code === CLOSE_BRACKET || code === CLOSE_BRACE) {
      if (depth-- === 1) end(at);
    } else if (code === COLON && depth === 1) {
      name = text.slice(start, at).trim().slice(1, -1);
      start = at + 1;
    } else if (code === COMMA && depth === 1) {
      end(at);
    }
  }
  return found;
}

/** Where the string that begins at `start` has its closing quote, or the text its end. */
function endOfString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(quote - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return quote;
  }
  return text.length;
}
