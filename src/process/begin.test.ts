import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { attach } from "../telemetry/index.ts";
import { Process, child, name, start, startSupervisor, withSystem, type Target } from "./index.ts";
import type { Cell } from "./internal.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

class Counter extends Process {
  count = 0;
  add(n: number): number {
    return (this.count += n);
  }
  async addLater(n: number): Promise<number> {
    return (this.count += n);
  }
  pid(): string {
    return this.self.pid;
  }
}

const cellOf = (target: Target<unknown>): Cell => target["~resolve"]() as Cell;

describe("a class that is no Process", () => {
  it("makes one all the same if it has messages, also in fields", () =>
    withSystem(async () => {
      class InField {
        readonly double = (n: number): number => 2 * n;
      }
      await using inField = await start(InField);
      expect(await inField.call.double(21)).toBe(42);
    }));

  it.each([class Empty {}, function work() {}])(
    "makes none if nobody could ask it anything: %o",
    (dead) =>
      withSystem(async () => {
        using _quiet = attach("sluice.log", () => {});
        await expect(start(dead as never, {} as never)).rejects.toMatchObject({
          code: "SLUICE_START_FAILED",
          cause: {
            code: "SLUICE_INVALID_OPTION",
            details: {
              got: `function ${dead.name}`,
              expected: "a class that extends Process or a stage, or has messages",
            },
          },
        });
        await using _silent = await start(class Silent extends Process {});
      }),
  );
});

describe("an idle process", () => {
  it("an idle process has made nothing that it does not use", () =>
    withSystem(async () => {
      await using counter = await start(Counter);
      const cell = cellOf(counter);
      expect([cell.more, cell.engine, cell.head, cell.tail, cell.onStart]).toEqual(
        Array.from({ length: 5 }, () => undefined),
      );
      for (let n = 0; n < 100; n++) counter.cast.add(1);
      expect(await counter.call.addLater(1)).toBe(101);
      expect([cell.more, cell.head, cell.tail, cell.inHand, cell.settled]).toEqual(
        Array.from({ length: 5 }, () => undefined),
      );
      await counter.call.pid();
      expect(cell.more?.own?.open).toBeUndefined();
      expect(cell.more?.context).toBeUndefined();
    }));

  it("has no more for a name, or for a supervisor above it", () =>
    withSystem(async () => {
      await using app = await startSupervisor({
        strategy: "one_for_one",
        children: { counter: child(Counter, { name: name<Counter>("counter") }) },
      });
      expect(cellOf(app.children.counter).more).toBeUndefined();
    }));

  it("keeps nothing of what it has handled", () =>
    withSystem(async () => {
      class Sink extends Process {
        take(_item: object): void {}
      }
      await using sink = await start(Sink);
      const items = Array.from({ length: 100 }, (_, n) => {
        const item = { n };
        sink.cast.take(item);
        return new WeakRef(item);
      });
      await sink.call.take({});
      await new Promise<void>((resolve) => cellOf(sink).system.runtime.turn(resolve));
      collect();
      expect(items.filter((item) => item.deref() !== undefined)).toEqual([]);
    }));
});
