import { describe, expect, it } from "vitest";
import { SharedRun } from "./shared-run.ts";

const [a, b, c] = ["aa", "b", "ccc"].map((text) => Buffer.from(text)) as [Buffer, Buffer, Buffer];

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
    expect(run.join([Buffer.from("x"), a]).toString()).toBe("xaa");
    expect(run.join([]).length).toBe(0);
  });

  it("copies nothing where there is one frame", () => {
    expect(new SharedRun().join([a])).toBe(a);
  });

  it("forgets its run when cleared", () => {
    const run = new SharedRun();
    const joined = run.join([a, b]);
    run.clear();
    expect(run.join([a, b])).not.toBe(joined);
  });
});
