import { afterEach, beforeEach, expect, it } from "vitest";
import { attach } from "../telemetry/index.ts";
import { simulate, type Simulation } from "../testing/index.ts";
import { Process, sleep, start, type Ref } from "./index.ts";
import { cellOf } from "./internal.ts";

/** Runs a program in 20 schedules. */
async function simulated(program: (simulation: Simulation) => Promise<void>): Promise<void> {
  await simulate(program, { seeds: 20 });
}

let silence: Disposable;
beforeEach(() => void (silence = attach("sluice.log", () => {})));
afterEach(() => silence[Symbol.dispose]());

class Peer extends Process {
  readonly heard: string[] = [];
  readonly #links = new Map<string, Disposable>();
  trap(): void {
    this.self.trapExits((from) => void this.heard.push(from.pid));
  }
  link(other: Ref<Peer>): void {
    this.#links.set(other.pid, this.self.link(other));
  }
  unlink(other: Ref<Peer>): void {
    this.#links.get(other.pid)?.[Symbol.dispose]();
  }
  note(text: string): void {
    this.heard.push(text);
  }
  /** Unlinks at the end of a long message, when the exit waits behind others. */
  async unlinkLater(other: Ref<Peer>): Promise<void> {
    await sleep(100);
    this.unlink(other);
  }
  all(): readonly string[] {
    return [...this.heard];
  }
  links(): number {
    return cellOf(this).more?.links?.size ?? 0;
  }
  crash(): void {
    throw new Error("on purpose");
  }
}

it("O7: unlinked, neither side takes the other with it, and nothing of the link is left", () =>
  simulated(async ({ quiet }) => {
    for (const first of [0, 1]) {
      const pair = [await start(Peer), await start(Peer)] as const;
      await pair[0].call.link(pair[1]);
      expect([await pair[0].call.links(), await pair[1].call.links()]).toEqual([1, 1]);
      await pair[0].call.unlink(pair[1]);
      expect([await pair[0].call.links(), await pair[1].call.links()]).toEqual([0, 0]);
      pair[first]!.cast.crash();
      await quiet();
      expect(await pair[1 - first]!.call.all()).toEqual([]);
      await pair[1 - first]!.stop();
    }
  }));

it("O7: unlinked, an exit that waits in the mailbox is told no more, and its neighbours there are", () =>
  simulated(async ({ advance }) => {
    await using a = await start(Peer);
    const [b, c] = [await start(Peer), await start(Peer)];
    await a.call.trap();
    await a.call.link(b);
    await a.call.link(c);
    a.cast.unlinkLater(b);
    await advance(10);
    a.cast.note("first");
    await b.stop();
    a.cast.note("second");
    await c.stop();
    await advance(100);
    expect(await a.call.all()).toEqual(["first", "second", c.pid]);
    // Whatever is left in the mailbox, what is sent next is behind it.
    for (const before of [0, 1, 2]) {
      const d = await start(Peer);
      await a.call.link(d);
      const heard = await a.call.all();
      a.cast.unlinkLater(d);
      await advance(10);
      const notes = Array.from({ length: before }, (_, n) => `before ${n}`);
      for (const note of notes) a.cast.note(note);
      await d.stop();
      await advance(100);
      const more = ["after 0", "after 1", "after 2"];
      for (const note of more) a.cast.note(note);
      expect(await a.call.all()).toEqual([...heard, ...notes, ...more]);
    }
  }));
