import { describe, expect, it } from "vitest";
import { Replicas } from "./replicas.ts";

describe("the other replicas", () => {
  it("one that is silent for longer than it takes to be forgotten is down first: what it had leaves (C110)", () => {
    const replicas = new Replicas({ downMs: 100, forgetMs: 101 });
    replicas.heard("a", 0);
    expect(replicas.sweep(500)).toEqual({ down: ["a"], forgotten: [] });
    expect(replicas.sweep(500)).toEqual({ down: [], forgotten: ["a"] });
    expect(replicas.count).toBe(0);
  });
});
