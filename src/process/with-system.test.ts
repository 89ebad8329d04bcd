import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { attach } from "../telemetry/index.ts";
import { currentSystem } from "../runtime/index.ts";
import { Process, name, sleep, start, withSystem } from "./index.ts";

let silence: Disposable;
beforeEach(() => void (silence = attach("sluice.log", () => {})));
afterEach(() => silence[Symbol.dispose]());

class Echo extends Process {
  say(text: string): string {
    return text;
  }
}

describe("withSystem", () => {
  it("gives the body a fresh default system, and the thread its own back", async () => {
    const outside = currentSystem();
    const result = await withSystem(async (system) => {
      expect(currentSystem()).toBe(system);
      await using echo = await start(Echo);
      return await echo.call.say("hello");
    });
    expect(result).toBe("hello");
    expect(currentSystem()).toBe(outside);
  });

  it("runs calls one after the other, also after one that failed", async () => {
    const lines: string[] = [];
    const failing = withSystem(async () => {
      lines.push("first begins");
      await sleep(5);
      lines.push("first ends");
      throw new Error("no");
    });
    const second = withSystem(() => void lines.push("second"));
    await expect(failing).rejects.toThrow("no");
    await second;
    expect(lines).toEqual(["first begins", "first ends", "second"]);
  });

  it("rejects SLUICE_LEFT_BEHIND with what the body leaves: processes, names, timers; and kills it", async () => {
    const ended: unknown[] = [];
    using _exits = attach("sluice.process.exited", (event) => ended.push(event.pid));
    const leaving = withSystem(async () => {
      await start(Echo, { name: name<Echo>("left") });
      void sleep(10_000, AbortSignal.timeout(100)).catch(() => {});
    });
    await expect(leaving).rejects.toMatchObject({
      code: "SLUICE_LEFT_BEHIND",
      details: { processes: ["left#1"], timers: 1, names: ["left"] },
      message: "left behind: processes left#1; timers 1; names left",
    });
    await sleep(1);
    expect(ended).toEqual(["left#1"]);
  });

  it("kills what a body that fails leaves, and says why that failed", async () => {
    const ended: unknown[] = [];
    using _exits = attach("sluice.process.exited", (event) => ended.push(event.reason));
    const failing = withSystem(async () => {
      await start(Echo);
      throw new Error("the test's own");
    });
    await expect(failing).rejects.toThrow("the test's own");
    await sleep(1);
    expect(ended).toEqual(["killed"]);
  });

  it("two systems do not see each other: a name is bound to one with system.of", async () => {
    const echo = name<Echo>("echo");
    const other = currentSystem();
    await withSystem(async (system) => {
      await using running = await start(Echo, { name: echo });
      expect(echo.whereis()?.pid).toBe(running.pid);
      expect(other.of(echo).whereis()).toBeUndefined();
      const bound = system.of(echo);
      expect([bound.key, await bound.call.say("in")]).toEqual(["echo", "in"]);
      await expect(other.of(echo).call.say("out")).rejects.toMatchObject({
        code: "SLUICE_NO_PROCESS",
      });
    });
  });

  it("a callback works in the system of its process, whatever the default is by then", async () => {
    class Asking extends Process {
      ask(to: string): boolean {
        return name<Echo>(to).whereis() !== undefined;
      }
    }
    const home = currentSystem();
    await using asking = await start(Asking);
    await using _echo = await start(Echo, { name: name<Echo>("at home") });
    await withSystem(async () => {
      expect(currentSystem()).not.toBe(home);
      expect(name<Echo>("at home").whereis()).toBeUndefined();
      expect(await asking.call.ask("at home")).toBe(true);
    });
  });
});
