import { describe, expect, it } from "vitest";
import { attach } from "../telemetry/index.ts";
import { simulate, type Simulation } from "../testing/index.ts";
import { Process, name, sleep, start } from "./index.ts";

/** Runs a program in 20 schedules. */
async function simulated(program: (simulation: Simulation) => Promise<void>): Promise<void> {
  await simulate(program, { seeds: 20 });
}

const boom = new Error("boom");

describe("continue", () => {
  /** Continues from `init` and from messages. */
  class Continuing extends Process {
    readonly said: string[];
    constructor(said: string[]) {
      super();
      this.said = said;
    }
    protected override init(): void {
      this.self.continue(() => void this.said.push("after init"));
    }
    say(what: string): void {
      this.said.push(what);
    }
    work(): void {
      this.self.continue(() => {
        this.said.push("first");
        this.self.continue(() => void this.said.push("third"));
      });
      this.self.continue(async () => {
        await sleep(1);
        this.said.push("second");
      });
      this.said.push("work");
    }
    quit(): void {
      this.self.stop();
      this.self.continue(() => void this.said.push("too late"));
    }
    break(): void {
      this.self.continue(() => {
        throw boom;
      });
    }
  }

  it("O14, G5: runs after init before any message that waits already, and does not hold the start up", () =>
    simulated(async () => {
      const said: string[] = [];
      const eager = name<Continuing>("eager");
      const starting = start(Continuing, { args: [said], name: eager });
      eager.cast.say("a message");
      await using continuing = await starting;
      await continuing.call.say("another");
      expect(said).toEqual(["after init", "a message", "another"]);
    }));

  it("O14, E13: runs when the callback in hand has ended, in order, before whatever waits", () =>
    simulated(async ({ quiet }) => {
      const said: string[] = [];
      await using continuing = await start(Continuing, { args: [said] });
      await quiet();
      said.length = 0;
      continuing.cast.work();
      continuing.cast.say("a message");
      await continuing.call.say("another");
      expect(said).toEqual(["work", "first", "second", "third", "a message", "another"]);
    }));

  it("that throws is a crash; one of a process that stops does not run", () =>
    simulated(async () => {
      using _silent = attach("sluice.log", () => {});
      const said: string[] = [];
      const broken = await start(Continuing, { args: [said] });
      broken.cast.break();
      expect(await broken.exited).toEqual({ crash: boom });
      const stopped = await start(Continuing, { args: [said] });
      stopped.cast.quit();
      expect(await stopped.exited).toBe("normal");
      expect(said).not.toContain("too late");
    }));
});
