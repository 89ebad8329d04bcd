// What a schema says is wrong with what a client sent, for whoever looks for it. Its words may quote what came, which is told
// nobody: wherever that stands in them, they have an ellipsis.
import type { SchemaIssue } from "./schema.ts";
import { isBytes } from "./wire/payload.ts";

/** One thing that is wrong. */
export interface Invalid {
  /** Where, from the outside in: `"items.0.name"`; empty for the whole. */
  readonly path: string;
  /** What the schema says, without what came; a mere ellipsis when too much came, or too much is said, to look through. */
  readonly message: string;
}

/** More are left out: whoever sends nonsense sends more of it. */
const mostIssues = 10;
const longestText = 200;
/** Texts that are looked for, and the length of what they are looked for in: each costs the server, not its client. */
const mostTexts = 1_000;
const longestMessage = 1_000;
const untold = "…";
/** A shorter text is in half of all words, and tells nothing. */
const shortestQuote = 3;
const NUMBER = /^[\d.e+-]+$/;

/** The issues of a schema as they may be told. */
export function invalidOf(issues: readonly SchemaIssue[], payload: unknown): readonly Invalid[] {
  const texts = fewTextsIn(payload)?.toSorted((a, b) => b.length - a.length);
  return issues.slice(0, mostIssues).map(({ message, path = [] }) => {
    const names = path.map((part) => String(typeof part === "object" ? part.key : part));
    const told =
      texts === undefined || message.length > longestMessage
        ? untold
        : texts.filter((text) => !names.includes(text)).reduce(without, message);
    return { path: names.join(".").slice(0, longestText), message: told.slice(0, longestText) };
  });
}

/** Nothing when there are too many. */
function fewTextsIn(payload: unknown): readonly string[] | undefined {
  const texts = new Set<string>();
  let count = 0;
  for (const text of textsIn(payload)) {
    if (++count > mostTexts) return undefined;
    texts.add(text);
  }
  return [...texts];
}

/** All texts and numbers that came, and the names they came under. */
function* textsIn(value: unknown): Generator<string> {
  if (typeof value === "number" || (typeof value === "string" && isQuote(value)))
    yield String(value);
  else if (typeof value === "object" && value !== null && !isBytes(value))
    for (const [name, inner] of Object.entries(value)) {
      if (!Array.isArray(value) && isQuote(name)) yield name;
      yield* textsIn(inner);
    }
}

const isQuote = (text: string): boolean => text.length >= shortestQuote || NUMBER.test(text);

/** As it is, and as a literal. */
function without(message: string, text: string): string {
  return message.replaceAll(text, untold).replaceAll(JSON.stringify(text).slice(1, -1), untold);
}
