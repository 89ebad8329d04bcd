import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matchTopic, topicPattern } from "./topic-pattern.ts";

const match = (
  patterns: readonly string[],
  topic: string,
): readonly [string, string] | undefined => {
  const found = matchTopic(patterns.map(topicPattern), topic);
  return found && [found.pattern.pattern, found.key];
};

describe("topic patterns (C10)", () => {
  it("match one topic by its full name", () => {
    expect(match(["lobby"], "lobby")).toEqual(["lobby", ""]);
    expect(match(["lobby"], "lobby:1")).toBeUndefined();
    expect(match(["lobby"], "Lobby")).toBeUndefined();
  });

  it("match all topics that begin alike; the key is the rest", () => {
    expect(match(["room:*"], "room:1:2")).toEqual(["room:*", "1:2"]);
    expect(match(["room:*"], "room:")).toEqual(["room:*", ""]);
    expect(match(["room:*"], "room")).toBeUndefined();
    expect(match(["*"], "anything")).toEqual(["*", "anything"]);
  });

  it("take the first declared that matches (C10, L59)", () => {
    expect(match(["food*", "foo*"], "food:1")).toEqual(["food*", ":1"]);
    expect(match(["foo*", "food*"], "food:1")).toEqual(["foo*", "d:1"]);
    expect(match(["room:*", "room:1"], "room:1")).toEqual(["room:*", "1"]);
  });

  it("treat names of Object.prototype and regular expressions as text (R63)", () => {
    for (const topic of ["__proto__", "constructor", "toString", ".*"]) {
      expect(match(["lobby"], topic)).toBeUndefined();
      if (!topic.includes("*")) expect(match([topic], topic)).toEqual([topic, ""]);
    }
    expect(match(["a.c"], "abc")).toBeUndefined();
  });

  it.each(["", "**", "*:room", "ro*m", "room:*:1"])(
    "refuse %j where they are defined",
    (pattern) => {
      expect(() => topicPattern(pattern)).toThrow(
        expect.objectContaining({ code: "SLUICE_INVALID_OPTION" }),
      );
    },
  );

  it("put prefix and key back together to the topic", () => {
    const prefix = fc.string().filter((text) => !text.includes("*"));
    fc.assert(
      fc.property(prefix, fc.string(), (prefix, key) => {
        expect(match([`${prefix}*`], prefix + key)).toEqual([`${prefix}*`, key]);
      }),
    );
  });
});
