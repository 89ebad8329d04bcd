import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { attach } from "../telemetry/index.ts";
import { currentSystem } from "../runtime/index.ts";
import { simulate, type Simulation } from "../testing/index.ts";
import { Process, name, refOf, sleep, start, stop, type Ref, type Target } from "./index.ts";
import type { ExitReason } from "../support/index.ts";
import { cellOf, processes } from "./internal.ts";

/** Runs a program in 20 schedules. */
async function simulated(program: (simulation: Simulation) => Promise<void>): Promise<void> {
  await simulate(program, { seeds: 20 });
}

let logged: string[];
let listener: Disposable;
beforeEach(() => {
  logged = [];
  listener = attach("sluice.log", ({ message }) => logged.push(message));
});
afterEach(() => listener[Symbol.dispose]());

/** Links, traps and monitors what it is told, and writes down what it hears. */
class Peer extends Process {
  readonly heard: unknown[] = [];
  trap(): void {
    this.self.trapExits((from, reason) => {
      this.heard.push(["exit", from.pid, reason]);
    });
  }
  link(other: Ref<unknown>): void {
    this.self.link(other);
  }
  watch(target: Target<unknown>): void {
    this.self.monitor(target, (reason) => {
      this.heard.push(["down", reason]);
    });
  }
  hear(what: unknown): void {
    this.heard.push(what);
  }
  news(): readonly unknown[] {
    return [...this.heard];
  }
  leave(reason: ExitReason): void {
    this.self.stop(reason);
  }
  crash(error: unknown): void {
    throw error;
  }
  tell(other: Ref<Peer>, what: string): void {
    other.cast.hear(what);
  }
}

const boom = new Error("boom");

describe("link", () => {
  it("O6: takes the other side with it, for the same reason; trapped on neither side", () =>
    simulated(async () => {
      const a = await start(Peer);
      const b = await start(Peer);
      await a.call.link(b);
      b.cast.crash(boom);
      expect(await a.exited).toEqual({ crash: boom });
      const c = await start(Peer);
      const d = await start(Peer);
      await c.call.link(d);
      c.cast.leave("shutdown");
      expect(await d.exited).toBe("shutdown");
    }));

  it("O6: a normal end leaves the other side alone", () =>
    simulated(async () => {
      await using a = await start(Peer);
      const b = await start(Peer);
      await a.call.link(b);
      await b.stop("normal");
      expect(await a.call.news()).toEqual([]);
    }));

  it("O6: goes through a chain, and around a ring once", () =>
    simulated(async () => {
      const ring = await Promise.all([start(Peer), start(Peer), start(Peer)]);
      for (const [index, peer] of ring.entries()) await peer.call.link(ring[(index + 1) % 3]!);
      ring[1].cast.crash(boom);
      expect(await Promise.all(ring.map(({ exited }) => exited))).toEqual(
        [1, 2, 3].map(() => ({ crash: boom })),
      );
    }));

  it("O6: made twice is one link", () =>
    simulated(async () => {
      await using a = await start(Peer);
      const b = await start(Peer);
      await a.call.trap();
      await a.call.link(b);
      await a.call.link(b);
      await b.stop("normal");
      expect(await a.call.news()).toEqual([["exit", b.pid, "normal"]]);
    }));

  it('O7: to a process that is gone ends the linking one, for "noproc"; one that traps is told', () =>
    simulated(async () => {
      const gone = await start(Peer);
      await gone.stop();
      const a = await start(Peer);
      a.cast.link(gone);
      expect(await a.exited).toBe("noproc");
      await using b = await start(Peer);
      await b.call.trap();
      b.cast.link(gone);
      await b.call.news();
      expect(await b.call.news()).toEqual([["exit", gone.pid, "noproc"]]);
    }));

  it("O8: an exit acts on receipt: the mailbox of one that does not trap is dropped, terminate does not run", () =>
    simulated(async ({ advance }) => {
      const lines: string[] = [];
      class Busy extends Peer {
        async work(): Promise<void> {
          await sleep(100, new AbortController().signal);
          lines.push("worked");
        }
        protected override terminate(): void {
          lines.push("terminated");
        }
      }
      const a = await start(Busy);
      const b = await start(Peer);
      await a.call.link(b);
      a.cast.work();
      a.cast.hear("never");
      await advance(10);
      b.cast.crash(boom);
      expect(await a.exited).toEqual({ crash: boom });
      expect(currentSystem().runtime.now()).toBe(10);
      await advance(1_000);
      expect(lines).toEqual(["worked"]);
      expect(currentSystem().get(processes).zombies).toBe(0);
    }));

  it("to itself is none", () =>
    simulated(async () => {
      class Narcissus extends Peer {
        linkSelf(): void {
          this.self.link(refOf<Narcissus>(this));
        }
      }
      const process = await start(Narcissus);
      await process.call.linkSelf();
      await process.stop("normal");
      expect(await process.exited).toBe("normal");
    }));
});

describe("trapExits", () => {
  it("O2, O6: makes the end of a linked process a message, after all that this one sent", () =>
    simulated(async () => {
      await using a = await start(Peer);
      await a.call.trap();
      const b = await start(Peer);
      await a.call.link(b);
      b.cast.tell(a, "one");
      b.cast.tell(a, "two");
      b.cast.crash(boom);
      await b.exited;
      expect(await a.call.news()).toEqual(["one", "two", ["exit", b.pid, { crash: boom }]]);
    }));

  it('O8: does not trap a kill; the linked side hears "killed", which can be trapped', () =>
    simulated(async () => {
      let terminated = false;
      class Tidy extends Peer {
        protected override terminate(): void {
          terminated = true;
        }
      }
      const a = await start(Tidy, { shutdown: "kill" });
      await using b = await start(Peer);
      await a.call.trap();
      await b.call.trap();
      await a.call.link(b);
      await a.stop("shutdown");
      expect([await a.exited, terminated]).toEqual(["killed", false]);
      expect(await b.call.news()).toEqual([["exit", a.pid, "killed"]]);
    }));
});

describe("monitor", () => {
  it("O9: tells once, with the reason, after all that the process sent", () =>
    simulated(async () => {
      await using a = await start(Peer);
      const b = await start(Peer);
      await a.call.watch(b);
      b.cast.tell(a, "last words");
      b.cast.leave({ shutdown: "done" });
      await b.exited;
      expect(await a.call.news()).toEqual(["last words", ["down", { shutdown: "done" }]]);
    }));

  it("R28: each monitor tells once, also two of one process", () =>
    simulated(async () => {
      await using a = await start(Peer);
      const b = await start(Peer);
      await a.call.watch(b);
      await a.call.watch(b);
      await b.stop();
      expect(await a.call.news()).toEqual([
        ["down", "normal"],
        ["down", "normal"],
      ]);
    }));

  it('R28: of a process that is gone, or of a name that nobody has, tells "noproc"', () =>
    simulated(async () => {
      await using a = await start(Peer);
      const gone = await start(Peer);
      await gone.stop();
      await a.call.watch(gone);
      await a.call.watch(name<Peer>("nobody"));
      await a.call.news();
      expect(await a.call.news()).toEqual([
        ["down", "noproc"],
        ["down", "noproc"],
      ]);
    }));

  it("R28: disposed tells nothing, also when the process is gone and the down waits in the mailbox", () =>
    simulated(async () => {
      class Fickle extends Peer {
        async watchBriefly(target: Ref<Peer>, how: "before" | "after" | "dead"): Promise<void> {
          if (how === "dead") await stop(target);
          const watch = this.self.monitor(target, (reason) => {
            this.heard.push(["down", reason]);
          });
          if (how === "after") await stop(target);
          watch[Symbol.dispose]();
          watch[Symbol.dispose]();
          await stop(target);
        }
      }
      for (const how of ["before", "after", "dead"] as const) {
        await using fickle = await start(Fickle);
        const target = await start(Peer);
        await fickle.call.watchBriefly(target, how);
        expect(await fickle.call.news()).toEqual([]);
      }
    }));

  it("ends with its owner: neither side keeps anything of the other", () =>
    simulated(async () => {
      class Inside extends Peer {
        counts(): readonly number[] {
          const { more } = cellOf(this);
          return [more?.onDead?.size ?? 0, more?.watching?.size ?? 0, more?.links?.size ?? 0];
        }
      }
      await using target = await start(Inside);
      await target.call.trap();
      for (let n = 0; n < 3; n++) {
        const watcher = await start(Peer);
        await watcher.call.watch(target);
        await watcher.call.link(target);
        await watcher.stop();
      }
      expect(await target.call.counts()).toEqual([0, 0, 0]);
    }));
});

describe("startLinked", () => {
  class Parent extends Peer {
    child: Ref<Peer> | undefined;
    async begin(): Promise<Ref<Peer>> {
      return (this.child = await this.self.startLinked(Peer));
    }
    async beginBroken(): Promise<string> {
      class Broken extends Peer {
        protected override init(): void {
          throw boom;
        }
      }
      return this.self.startLinked(Broken).then(
        () => "started",
        (error: unknown) => (error as { code: string }).code,
      );
    }
  }

  it("O17: ends the process with the parent, whatever the reason", () =>
    simulated(async ({ quiet }) => {
      for (const reason of ["normal", "shutdown", "crash"] as const) {
        const parent = await start(Parent);
        const child = await parent.call.begin();
        if (reason === "crash") parent.cast.crash(boom);
        else parent.cast.leave(reason);
        await parent.exited;
        await quiet();
        await expect(child.call.news()).rejects.toMatchObject({
          details: { reason: reason === "crash" ? { crash: boom } : "shutdown" },
        });
      }
    }));

  it("ends the parent with the process, but for a normal end", () =>
    simulated(async () => {
      const parent = await start(Parent);
      const first = await parent.call.begin();
      first.cast.leave("normal");
      await expect(first.call.news()).rejects.toMatchObject({ code: "SLUICE_EXITED" });
      const second = await parent.call.begin();
      second.cast.crash(boom);
      expect(await parent.exited).toEqual({ crash: boom });
    }));

  it("O17: a parent that traps hears of it; a child that traps stops in order with its parent", () =>
    simulated(async ({ quiet }) => {
      const lines: string[] = [];
      class Tidy extends Peer {
        protected override terminate(reason: ExitReason): void {
          lines.push(`terminates ${JSON.stringify(reason)}`);
        }
      }
      class Guardian extends Parent {
        beginTidy(): Promise<Ref<Tidy>> {
          return this.self.startLinked(Tidy);
        }
      }
      const parent = await start(Guardian);
      await parent.call.trap();
      const first = await parent.call.begin();
      first.cast.crash(boom);
      await expect(first.call.news()).rejects.toMatchObject({ code: "SLUICE_EXITED" });
      expect(await parent.call.news()).toEqual([["exit", first.pid, { crash: boom }]]);
      const tidy = await parent.call.beginTidy();
      await tidy.call.trap();
      await parent.stop("shutdown");
      await quiet();
      expect(lines).toEqual(['terminates "shutdown"']);
    }));

  it("O11: a failed start rejects, and leaves the parent alive", () =>
    simulated(async () => {
      await using parent = await start(Parent);
      expect(await parent.call.beginBroken()).toBe("SLUICE_START_FAILED");
      expect(await parent.call.news()).toEqual([]);
    }));
});

describe("self", () => {
  it("is there before field initialisers run", () =>
    simulated(async () => {
      class Early extends Process {
        readonly mine = this.self.pid;
        pid(): string {
          return this.mine;
        }
      }
      await using early = await start(Early);
      expect(await early.call.pid()).toBe(early.pid);
    }));

  it("is not there in an object that was made with new, also by the constructor of a process", () =>
    simulated(async () => {
      class Part extends Peer {}
      class Whole extends Peer {
        readonly part: Part;
        constructor() {
          const part = new Part();
          super();
          this.part = part;
        }
        both(): readonly string[] {
          try {
            this.part.leave("normal");
            return [];
          } catch (error) {
            return [this.self.pid, (error as { code: string }).code];
          }
        }
      }
      await using whole = await start(Whole);
      expect(await whole.call.both()).toEqual([whole.pid, "SLUICE_OUTSIDE_PROCESS"]);
      expect(() => refOf(new Part())).toThrow(
        "Part was made with new, not started: it has no self",
      );
    }));

  it("afterBuffered, in a process without a buffer, is the next message", () =>
    simulated(async () => {
      class Later extends Peer {
        later(): void {
          this.self.afterBuffered(() => this.hear("buffered"));
          this.hear("first");
        }
      }
      await using later = await start(Later);
      await later.call.later();
      expect(await later.call.news()).toEqual(["first", "buffered"]);
    }));
});
