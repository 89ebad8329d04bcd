import { describe, expect, it } from "vitest";
import { behaviourOf, learn } from "./behaviour.ts";
import { Process } from "./index.ts";

describe("behaviourOf", () => {
  class Base extends Process {
    inherited(): void {}
    overridden(): void {}
  }
  class Inbox extends Base {
    readonly field = (): void => {};
    readonly data = 1;
    static statically(): void {}
    push(): void {}
    override overridden(): void {}
    get size(): number {
      return 0;
    }
    #hidden(): void {}
    protected override init(): void {
      this.#hidden();
    }
    protected override terminate(): void {}
    protected override handleInfo(): void {}
  }

  it("finds the public methods of a class and of its parents up to the library's own", () => {
    expect([...behaviourOf(Inbox).messages].toSorted()).toEqual([
      "inherited",
      "overridden",
      "push",
    ]);
  });

  it("takes no callback, accessor, static, private or library member for a message", () => {
    const { messages } = behaviourOf(Inbox);
    const none = [
      "constructor",
      "init",
      "terminate",
      "handleInfo",
      "size",
      "statically",
      "hidden",
      "self",
      "toString",
    ];
    expect(none.filter((name) => messages.has(name))).toEqual([]);
  });

  it("learns functions in fields from the first instance", () => {
    const behaviour = behaviourOf(Inbox);
    expect(behaviour.learned).toBe(false);
    learn(behaviour, new Inbox());
    expect(behaviourOf(Inbox)).toBe(behaviour);
    expect([...behaviour.messages].toSorted()).toEqual([
      "field",
      "inherited",
      "overridden",
      "push",
    ]);
  });
});
