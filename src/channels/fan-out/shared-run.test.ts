import { describe, expect, it } from "vitest";
import { Outgoing } from "../socket/outbox.ts";
import { SharedRun } from "./shared-run.ts";

const frame = (text: string): Outgoing => new Outgoing(Buffer.from(text), "kept");
const [a, b, c] = ["aa", "b", "ccc"].map(frame) as [Outgoing, Outgoing, Outgoing];

describe("SharedRun", () => {
  it("joins a run once and hands the same buffer to every socket that takes it", () => {
    const run = new SharedRun();
    const joined = run.join([a, b, c]);
    expect(joined.toString()).toBe("aabccc");
    expect(run.join([a, b, c])).toBe(joined);
  });

  it("joins anew for another run: longer, shorter, in another order, or alike but not the same", () => {
    const run = new SharedRun();
    run.join([a, b]);
    expect(run.join([a, b, c]).toString()).toBe("aabccc");
    expect(run.join([b, a]).toString()).toBe("baa");
    expect(run.join([frame("x"), a]).toString()).toBe("xaa");
    expect(run.join([]).length).toBe(0);
  });

  it("joins strings of a letter for each byte with bytes", () => {
    const letters = new Outgoing("\u0081\u00ff", "kept");
    expect(new SharedRun().join([a, letters, c])).toEqual(
      Buffer.from("aa\u0081\u00ffccc", "latin1"),
    );
  });

  it("copies nothing where there is one frame", () => {
    expect(new SharedRun().join([a])).toBe(a.bytes);
  });

  it("forgets its run when cleared", () => {
    const run = new SharedRun();
    const joined = run.join([a, b]);
    run.clear();
    expect(run.join([a, b])).not.toBe(joined);
  });
});
