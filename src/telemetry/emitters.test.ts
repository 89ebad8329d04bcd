import { channel } from "node:diagnostics_channel";
import { afterEach, describe, expect, it, vi } from "vitest";
import { attach, discarded, dropped, log, refused } from "./emitters.ts";

const console_ = {
  warn: vi.spyOn(console, "warn").mockImplementation(() => {}),
  error: vi.spyOn(console, "error").mockImplementation(() => {}),
};
afterEach(() => vi.clearAllMocks());

describe("attach", () => {
  it("gets every event until it is disposed", () => {
    const seen: number[] = [];
    const listening = attach("sluice.stage.discarded", ({ count }) => seen.push(count));
    expect(discarded.active).toBe(true);
    discarded.emit({ stage: "pages", count: 1 });
    discarded.emit({ stage: "pages", count: 2 });
    listening[Symbol.dispose]();
    listening[Symbol.dispose]();
    expect(discarded.active).toBe(false);
    discarded.emit({ stage: "pages", count: 3 });
    expect(seen).toEqual([1, 2]);
  });

  it("calls listeners in the order of attachment, one attached twice twice", () => {
    const seen: string[] = [];
    const both = () => seen.push("a");
    using _a = attach("sluice.process.dropped", both);
    using _b = attach("sluice.process.dropped", () => seen.push("b"));
    using _c = attach("sluice.process.dropped", both);
    dropped.emit({ pid: undefined, count: 1 });
    expect(seen).toEqual(["a", "b", "a"]);
  });

  it("does not call again what was disposed during the event, nor yet what was attached during it", () => {
    const seen: string[] = [];
    using attached = new DisposableStack();
    using _a = attach("sluice.process.dropped", () => {
      seen.push("a");
      b[Symbol.dispose]();
      if (seen.length === 1) attached.use(attach("sluice.process.dropped", () => seen.push("c")));
    });
    const b = attach("sluice.process.dropped", () => seen.push("b"));
    dropped.emit({ pid: "1", count: 1 });
    expect(seen).toEqual(["a"]);
    dropped.emit({ pid: "1", count: 1 });
    expect(seen).toEqual(["a", "a", "c"]);
  });

  it("detaches a listener that throws, reports it, and goes on", () => {
    const seen: unknown[] = [];
    const broken = new Error("broken");
    using _log = attach("sluice.log", (message) => seen.push(message));
    attach("sluice.channels.refused", () => {
      throw broken;
    });
    using _after = attach("sluice.channels.refused", ({ reason }) => seen.push(reason));
    refused.emit({ what: "join", reason: "one" });
    refused.emit({ what: "join", reason: "two" });
    expect(seen).toEqual([
      {
        level: "error",
        message: "a listener of sluice.channels.refused threw and was detached",
        details: broken,
      },
      "one",
      "two",
    ]);
  });

  it("does not call a listener for what it causes itself", () => {
    const seen: number[] = [];
    using _listening = attach("sluice.process.dropped", ({ count }) => {
      seen.push(count);
      dropped.emit({ pid: "1", count: count + 1 });
    });
    dropped.emit({ pid: "1", count: 1 });
    dropped.emit({ pid: "1", count: 10 });
    expect(seen).toEqual([1, 10]);
  });
});

describe("node:diagnostics_channel", () => {
  it("carries each event under its name while somebody subscribes there", () => {
    const seen: unknown[] = [];
    const subscriber = (message: unknown) => seen.push(message);
    channel("sluice.stage.discarded").subscribe(subscriber);
    expect(discarded.active).toBe(true);
    discarded.emit({ stage: "pages", count: 1 });
    channel("sluice.stage.discarded").unsubscribe(subscriber);
    expect(discarded.active).toBe(false);
    expect(seen).toEqual([{ stage: "pages", count: 1 }]);
  });
});

describe("log", () => {
  it("prints warnings and errors when nobody listens, and nothing else", () => {
    const details = new Error("broken");
    for (const level of ["debug", "info", "warning", "error"] as const)
      log(level, `a ${level}`, details);
    log("warning", "without details");
    expect(console_.warn.mock.calls).toEqual([
      ["sluice: a warning", details],
      ["sluice: without details"],
    ]);
    expect(console_.error.mock.calls).toEqual([["sluice: a error", details]]);
  });

  it("prints nothing while somebody listens", () => {
    const seen: string[] = [];
    using _listening = attach("sluice.log", ({ level, message }) =>
      seen.push(`${level} ${message}`),
    );
    log("debug", "one");
    log("error", "two");
    expect(seen).toEqual(["debug one", "error two"]);
    expect(console_.error).not.toHaveBeenCalled();
  });

  it("prints what a broken listener did not take, and the failure", () => {
    attach("sluice.log", () => {
      throw new Error("broken");
    });
    log("error", "the message");
    expect(console_.error.mock.calls.map(([line]: unknown[]) => line)).toEqual([
      "sluice: a listener of sluice.log threw and was detached",
      "sluice: the message",
    ]);
  });

  it("prints what a listener of the log logs itself", () => {
    using _listening = attach("sluice.log", () => log("error", "inner"));
    log("error", "outer");
    expect(console_.error.mock.calls).toEqual([["sluice: inner"]]);
  });
});
