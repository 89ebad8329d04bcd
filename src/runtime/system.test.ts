import { describe, expect, it } from "vitest";
import { readFileSync } from "node:fs";
import type { Alarm, Runtime } from "./runtime.ts";
import { System, currentSystem } from "./system.ts";
import { version } from "./version.ts";

/** A host whose time the test moves. */
class Host implements Runtime {
  readonly simulated = true;
  nowMs = 0;
  /** Armed so often. */
  armed = 0;
  alarmed: { readonly atMs: number; readonly ring: () => void; held: boolean } | undefined;

  now(): number {
    return this.nowMs;
  }
  wallNow(): number {
    return this.nowMs;
  }
  random(): number {
    return 0;
  }
  soon(): void {}
  turn(): void {}
  alarm(ms: number, ring: () => void): Alarm {
    this.armed++;
    const alarmed = { atMs: this.nowMs + ms, ring, held: true };
    this.alarmed = alarmed;
    return {
      cancel: () => {
        if (this.alarmed === alarmed) this.alarmed = undefined;
      },
      hold: (held) => void (alarmed.held = held),
    };
  }
  /** Lets time pass, ringing on the way. */
  pass(ms: number): void {
    const until = this.nowMs + ms;
    for (let next = this.alarmed; next !== undefined && next.atMs <= until; next = this.alarmed) {
      this.alarmed = undefined;
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.ring();
    }
    this.nowMs = until;
  }
}

function world(): { readonly host: Host; readonly system: System; readonly rings: string[] } {
  const host = new Host();
  return { host, system: new System(host), rings: [] };
}

describe("System.after", () => {
  it("rings in the order of deadlines, none early, with one alarm of the host at a time", () => {
    const { host, system, rings } = world();
    for (const [ms, what] of [
      [30, "c"],
      [10, "a"],
      [20, "b"],
      [20, "b2"],
    ] as const)
      system.after(ms, () => rings.push(`${what} ${host.nowMs}`));
    host.pass(100);
    expect(rings).toEqual(["a 10", "b 20", "b2 20", "c 30"]);
    expect(host.alarmed).toBeUndefined();
  });

  it("takes a past deadline for now, and Infinity for never", () => {
    const { host, system, rings } = world();
    system.after(-5, () => rings.push("past"));
    system.after(Infinity, () => rings.push("never"));
    host.pass(1e12);
    expect([rings, system.wheel.size]).toEqual([["past"], 1]);
  });

  it("a cancelled timer does not ring, and twice is harmless", () => {
    const { host, system, rings } = world();
    const timer = system.after(10, () => rings.push("x"));
    system.cancel(timer);
    system.cancel(timer);
    host.pass(100);
    expect(rings).toEqual([]);
  });

  it("keeps the host's alarm when the last timer is cancelled, without keeping the program alive by it", () => {
    const { host, system, rings } = world();
    for (let calls = 0; calls < 1_000; calls++)
      system.cancel(system.after(5_000, () => rings.push("x")));
    expect([host.armed, host.alarmed?.held]).toEqual([1, false]);
    system.after(6_000, () => rings.push("y"));
    expect([host.armed, host.alarmed?.held]).toEqual([1, true]);
    host.pass(10_000);
    expect(rings).toEqual(["y"]);
  });

  it("a timer that throws keeps no other from ringing", () => {
    const { host, system, rings } = world();
    system.after(10, () => {
      throw new Error("no");
    });
    system.after(10, () => rings.push("same"));
    system.after(20, () => rings.push("later"));
    expect(() => host.pass(10)).toThrow("no");
    host.pass(20);
    expect(rings).toEqual(["same", "later"]);
  });

  it("one that sets another for now does not hold the thread: that is the next alarm's", () => {
    const { host, system, rings } = world();
    const again = (): void => {
      rings.push("x");
      if (rings.length < 3) system.after(0, again);
    };
    system.after(0, again);
    const { ring } = host.alarmed!;
    ring();
    expect(rings).toEqual(["x"]);
    host.pass(0);
    expect(rings).toEqual(["x", "x", "x"]);
  });
});

describe("System", () => {
  it("keeps one thing per slot, made on first use", () => {
    const { system } = world();
    let made = 0;
    const slot = { key: "test.slot", create: () => ({ n: ++made }) };
    expect([system.get(slot).n, system.get(slot).n, new System(new Host()).get(slot).n]).toEqual([
      1, 1, 2,
    ]);
  });

  it("gives numbers that no other thing in it has", () => {
    const { system } = world();
    expect(new Set(Array.from({ length: 100 }, () => system.nextId())).size).toBe(100);
  });

  it("has one default per thread", () => {
    expect(currentSystem()).toBe(currentSystem());
  });
});

describe("version", () => {
  it("is that of package.json", () => {
    const { version: expected } = JSON.parse(readFileSync("package.json", "utf8")) as {
      version: string;
    };
    expect(version).toBe(expected);
  });
});
