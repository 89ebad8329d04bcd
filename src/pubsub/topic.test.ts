import { describe, expect, it, vi } from "vitest";
import { Process, start, withSystem } from "../process/index.ts";
import { cellOf, ownOf } from "../process/internal.ts";
import { attach } from "../telemetry/index.ts";
import { currentSystem } from "../runtime/internal.ts";
import { bus } from "./bus.ts";
import { nodeName } from "./pubsub.ts";
import { topic, topics, type Topic } from "./topic.ts";

const numbers: Topic<number> = topic("numbers");

class Board extends Process {
  readonly #seen: number[] = [];
  #subscription: Disposable | undefined = undefined;
  protected override init(): void {
    this.#subscription = numbers.subscribe(this.self, (n) => {
      this.#seen.push(n);
    });
  }
  seen(): readonly number[] {
    return this.#seen;
  }
  unsubscribe(): void {
    this.#subscription?.[Symbol.dispose]();
  }
  async block(begun: () => void, until: Promise<void>): Promise<void> {
    begun();
    await until;
  }
}

describe("topic", () => {
  it("a broadcast reaches whoever subscribed, in order, with no endpoint in sight", async () => {
    await withSystem(async () => {
      await using one = await start(Board);
      await using two = await start(Board);
      for (const n of [1, 2, 3]) numbers.broadcast(n);
      expect(await one.call.seen()).toEqual([1, 2, 3]);
      expect(await two.call.seen()).toEqual([1, 2, 3]);
    });
  });

  it("a process hears what is broadcast in each form, as it was said (C51, C52, L107)", async () => {
    const anything = topic<unknown>("anything");
    class Ear extends Process {
      readonly #heard: unknown[] = [];
      protected override init(): void {
        anything.subscribe(this.self, (message) => void this.#heard.push(message));
      }
      say(message: unknown): void {
        anything.broadcastFrom(this.self, message);
      }
      take(): readonly unknown[] {
        return this.#heard.splice(0);
      }
    }
    await withSystem(async () => {
      await using one = await start(Ear);
      await using other = await start(Ear);
      const message = { of: new Map([["any", () => "kind"]]) };
      const heard = async (): Promise<boolean[][]> =>
        [await one.call.take(), await other.call.take()].map((all) =>
          all.map((what) => what === message),
        );
      anything.broadcast(message);
      expect(await heard()).toEqual([[true], [true]]);
      anything.broadcastLocal(message);
      expect(await heard()).toEqual([[true], [true]]);
      await one.call.say(message);
      expect(await heard()).toEqual([[], [true]]);
      anything.direct(nodeName(), { to: "this node" });
      expect(await one.call.take()).toEqual([{ to: "this node" }]);
      expect(await other.call.take()).toEqual([{ to: "this node" }]);
      anything.direct("another", { to: "nobody" });
      expect(await heard()).toEqual([[], []]);
    });
  });

  it("a broadcast that nobody hears costs a look-up, and is counted and told", async () => {
    await withSystem(() => {
      const unheard: string[] = [];
      using _unreached = attach("sluice.pubsub.unreached", (event) => unheard.push(event.topic));
      numbers.broadcast(1);
      expect(unheard).toEqual(["numbers"]);
      expect(currentSystem().get(bus).unreached).toBe(1);
    });
  });

  it("disposed, and at the end of the subscriber, nothing is left on the bus", async () => {
    await withSystem(async (system) => {
      await using one = await start(Board);
      await using two = await start(Board);
      await one.call.unsubscribe();
      numbers.broadcast(1);
      expect(await one.call.seen()).toEqual([]);
      expect(await two.call.seen()).toEqual([1]);
      await two.stop();
      expect(system.get(bus).topics.size).toBe(0);
    });
  });

  it("disposed, it hears nothing more, not even what waits in its mailbox, and leaves nothing behind", async () => {
    class Once extends Process {
      readonly #seen: number[] = [];
      protected override init(): void {
        const subscription = numbers.subscribe(this.self, (n) => {
          this.#seen.push(n);
          subscription[Symbol.dispose]();
        });
        for (let round = 0; round < 1_000; round++) {
          numbers.subscribe(this.self, () => {})[Symbol.dispose]();
        }
      }
      seen(): readonly number[] {
        return this.#seen;
      }
      open(): number {
        return ownOf(cellOf(this)).open?.size ?? 0;
      }
    }
    await withSystem(async () => {
      await using once = await start(Once);
      for (const n of [1, 2, 3]) numbers.broadcast(n);
      expect(await once.call.seen()).toEqual([1]);
      expect(await once.call.open()).toBe(0);
    });
  });

  it("what does not fit into a mailbox is dropped and counted", async () => {
    await withSystem(async () => {
      await using board = await start(Board, { maxMailbox: 2 });
      const { promise, resolve } = Promise.withResolvers<void>();
      await new Promise<void>((begun) => board.cast.block(begun, promise));
      let dropped = 0;
      using _dropped = attach("sluice.process.dropped", ({ count }) => (dropped += count));
      for (let n = 1; n <= 5; n++) numbers.broadcast(n);
      expect(dropped).toBe(3);
      resolve();
      await vi.waitFor(async () => expect(await board.call.seen()).toEqual([1, 2]));
    });
  });

  it("a bound topic is that of its system", async () => {
    await withSystem(async (outer) => {
      await using board = await start(Board);
      outer.of(numbers).broadcast(7);
      expect(await board.call.seen()).toEqual([7]);
      expect(topics<number>("family")("a").key).toBe("family/a");
    });
  });
});
