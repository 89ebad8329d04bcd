import { setFlagsFromString } from "node:v8";
import { runInThisContext } from "node:vm";
import { describe, expect, it } from "vitest";
import {
  UserMessage,
  childExitMessage,
  closureMessage,
  drainMessage,
  exitMessage,
  infoMessage,
} from "./message.ts";

setFlagsFromString("--allow-natives-syntax");
const sameShape = runInThisContext("(one, other) => %HaveSameMap(one, other)") as (
  one: object,
  other: object,
) => boolean;

describe("messages of processes", () => {
  it("have two shapes: with those between stages not more than the compiler tells apart at once", () => {
    const closure = closureMessage(() => undefined, true);
    const others = [
      closureMessage(() => undefined),
      infoMessage("info"),
      exitMessage({}, { crash: new Error("crash") }),
      childExitMessage({}, "normal"),
      drainMessage({ settle: () => undefined }),
    ];
    expect(others.map((message) => sameShape(closure, message))).toEqual(others.map(() => true));
    expect(sameShape(closure, new UserMessage("go", [], undefined))).toBe(false);
  });
});
