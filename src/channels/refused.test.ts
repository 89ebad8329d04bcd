import { describe, expect, it } from "vitest";
import { Refused } from "./refused.ts";

describe("Refused", () => {
  it("is an error that says why", () => {
    const refused = new Refused({ reason: "unauthorized" });
    expect(refused).toBeInstanceOf(Error);
    expect(refused.reason).toEqual({ reason: "unauthorized" });
    expect(refused.name).toBe("Refused");
    expect(refused.message).toBe('refused: {"reason":"unauthorized"}');
  });

  it("can be made of any reason", () => {
    const cycle: { self?: object } = {};
    cycle.self = cycle;
    expect(new Refused(cycle).reason).toBe(cycle);
  });

  it("is known across copies of the package, and nothing else is taken for it", async () => {
    const another = "./refused.ts?copy";
    const copy = (await import(another)) as { Refused: typeof Refused };
    expect(copy.Refused).not.toBe(Refused);
    expect(new copy.Refused({}) instanceof Refused).toBe(true);
    for (const other of [new Error("refused"), { reason: {} }, null, "refused"])
      expect(other instanceof Refused).toBe(false);
  });
});
