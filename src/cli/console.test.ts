import { describe, expect, it } from "vitest";
import { closed, log } from "../telemetry/internal.ts";
import { Console, type Output } from "./console.ts";
import type { Stats } from "./stats.ts";

const none = { minMs: undefined, meanMs: undefined, p50Ms: undefined, p95Ms: undefined };
const stats: Stats = {
  rate: 12.4,
  received: 1_234,
  delivered: 2_468,
  unheard: 0,
  dropped: 0,
  latency: { ...none, count: 0, p99Ms: undefined, maxMs: undefined },
  stages: [],
  clients: 1,
};

/** A terminal, or a pipe, that keeps what is written. */
function made(about: Omit<Output, "write"> = {}): {
  readonly console: Console;
  readonly said: () => string;
} {
  let said = "";
  const output = { ...about, write: (text: string) => (said += text) };
  return {
    console: new Console(output),
    said: () => {
      const text = said;
      said = "";
      return text;
    },
  };
}

describe("Console", () => {
  it("shows no progress in a pipe", () => {
    const { console, said } = made();
    console.progress(stats);
    console.line("a line");
    console.end("the end\n");
    expect(said()).toBe("a line\nthe end\n");
  });

  it("keeps one progress line, cut to the terminal, below the lines that stay", () => {
    const { console, said } = made({ isTTY: true, columns: 40 });
    console.progress(stats);
    const progress = "1,234 received, 2,468 delivered to 1 cl";
    expect(said()).toBe(`\r\u001b[2K${progress}`);
    console.line("a line");
    expect(said()).toBe(`\r\u001b[2Ka line\n${progress}`);
    console.end("the end\n");
    expect(said()).toBe("\r\u001b[2Kthe end\n");
  });

  it("tells warnings, errors and slow clients that went, until the end", () => {
    const { console, said } = made();
    log("warning", "look out");
    log("error", "it failed", new TypeError("why"));
    log("error", "a worker ended: killed", "killed");
    closed.emit({ code: 4008, reason: "slow consumer" });
    closed.emit({ code: 1012, reason: "the server restarts" });
    expect(said()).toBe(
      "look out\nit failed (TypeError: why)\na worker ended: killed\na client was too slow, and was disconnected\n",
    );
    console.end("");
    closed.emit({ code: 4008, reason: "slow consumer" });
    expect(said()).toBe("");
  });

  it("tells ten of what there may be many of", () => {
    const { console, said } = made();
    for (let line = 1; line <= 1_000; line++) console.often("bad line", `line ${line}`);
    console.often("another", "kind");
    const ten = Array.from({ length: 10 }, (_, at) => `line ${at + 1}\n`).join("");
    expect(said()).toBe(`${ten}… and more of these, which are not shown\nkind\n`);
    console.end("");
  });
});
