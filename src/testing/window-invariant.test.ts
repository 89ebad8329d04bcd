import { describe, expect, it } from "vitest";
import { WindowInvariant } from "./window-invariant.ts";

describe("WindowInvariant", () => {
  it("holds while no subscription gets more than was asked for on it", () => {
    const window = new WindowInvariant();
    window.see({ tag: 1, count: 2 });
    window.see({ tag: 1, count: 1 });
    window.see({ tag: 2, count: 1 });
    window.see({ tag: 1, events: ["a", "b"] });
    window.see({ tag: 1, events: ["c"] });
    expect(window.violation).toBeUndefined();
  });

  it("says which subscription got too much first", () => {
    const window = new WindowInvariant();
    window.see({ tag: 1, count: 2 });
    window.see({ tag: 2, count: 1 });
    window.see({ tag: 2, events: ["a", "b"] });
    window.see({ tag: 1, events: ["a", "b", "c"] });
    expect(window.violation).toBe("subscription 2 got 2 events with 1 asked for");
  });

  it("O4: hands messages on, and freezes their events", () => {
    const window = new WindowInvariant();
    const message = { tag: 1, events: ["a"] };
    expect(window.see(message)).toBe(message);
    expect(() => message.events.push("b")).toThrow(TypeError);
    const other = { reason: "normal" };
    expect(window.see(other)).toBe(other);
  });
});
