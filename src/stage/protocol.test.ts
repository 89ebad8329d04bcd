import { setFlagsFromString } from "node:v8";
import { runInThisContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { StageKind, ask, cancel, cancelled, down, events, subscribe } from "./protocol.ts";

setFlagsFromString("--allow-natives-syntax");
const sameShape = runInThisContext("(one, other) => %HaveSameMap(one, other)") as (
  one: object,
  other: object,
) => boolean;

describe("messages between stages", () => {
  it("have two shapes: with those of processes not more than the compiler tells apart at once", () => {
    const asked = ask(1, 10);
    const others = [
      subscribe(1, 2, { maxDemand: 10, minDemand: 5, inOrder: true }, { tag: 3, reason: "normal" }),
      cancel(1, "normal"),
      cancelled(1, { crash: new Error("crash") }),
      down(StageKind.consumerDown, 1, "shutdown"),
    ];
    expect(others.map((message) => sameShape(asked, message))).toEqual(others.map(() => true));
    expect(sameShape(events(1, [1], 0.5), events(2, ["one", {}], 1_000.25))).toBe(true);
  });
});
