import { invalidOption } from "../support/internal.ts";

/** Which topics a channel is for: one by its full name, or, with one `*` at the end, all that begin alike. */
export interface TopicPattern {
  /** As it was written: `"lobby"`, `"user:*"`. */
  readonly pattern: string;
  /** What comes before the `*`; of an exact pattern, all of it. */
  readonly prefix: string;
  /** No `*`: nothing may follow. */
  readonly isExact: boolean;
}

/** A pattern found for a topic, and what followed its prefix. */
export interface TopicMatch<P> {
  readonly pattern: P;
  readonly key: string;
}

/**
 * Reads a pattern.
 *
 * @throws SluiceError `SLUICE_INVALID_OPTION` for no text at all, and for a `*` anywhere but at the end.
 */
export function topicPattern(pattern: string): TopicPattern {
  if (typeof pattern !== "string") throw invalidOption("pattern", pattern, "a text");
  const star = pattern.indexOf("*");
  if (pattern === "" || (star >= 0 && star < pattern.length - 1)) {
    throw invalidOption(
      "pattern",
      pattern,
      "a topic, or the beginning of topics and one `*` at its end",
    );
  }
  return { pattern, prefix: star < 0 ? pattern : pattern.slice(0, star), isExact: star < 0 };
}

/** Is there a topic that both match? */
export function overlap(one: TopicPattern, other: TopicPattern): boolean {
  const reaches = (a: TopicPattern, b: TopicPattern): boolean =>
    a.isExact ? a.prefix === b.prefix && b.isExact : b.prefix.startsWith(a.prefix);
  return reaches(one, other) || reaches(other, one);
}

/** The first of the patterns, in the order they were declared, that the topic matches. `room:*` matches `room:`, not `room`. */
export function matchTopic<P extends TopicPattern>(
  patterns: readonly P[],
  topic: string,
): TopicMatch<P> | undefined {
  for (const pattern of patterns) {
    const { prefix, isExact } = pattern;
    if (isExact ? topic === prefix : topic.startsWith(prefix))
      return { pattern, key: topic.slice(prefix.length) };
  }
  return undefined;
}
