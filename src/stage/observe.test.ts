import { describe, expect, it } from "vitest";
import { cellOf, quietly, range } from "../../test/stage/probing.ts";
import { all, take } from "../../test/stage/pulling.ts";
import { turns } from "../../test/stage/unhandled.ts";
import { world } from "../../test/stage/writing.ts";
import { start } from "../process/index.ts";
import { attach } from "../telemetry/index.ts";
import { from } from "./from.ts";
import { observe, type ObservableLike, type Observer } from "./observe.ts";
import { stream } from "./stream.ts";

/** An observable driven by the test; its subscribers leave in the way that `shape` says. */
class Subject<T> implements ObservableLike<T> {
  readonly observers: Set<Observer<T>> = new Set();
  subscribed = 0;
  readonly #shape: "function" | "object" | "signal";

  constructor(shape: "function" | "object" | "signal" = "function") {
    this.#shape = shape;
  }

  subscribe(observer: Observer<T>, { signal }: { readonly signal: AbortSignal }): unknown {
    this.subscribed++;
    this.observers.add(observer);
    const leave = (): void => void this.observers.delete(observer);
    if (this.#shape === "function") return leave;
    if (this.#shape === "object") return { unsubscribe: leave };
    signal.addEventListener("abort", leave);
    return undefined;
  }

  tell(...values: readonly T[]): void {
    for (const value of values) for (const observer of this.observers) observer.next(value);
  }
}

/** Tells at once, while it is being subscribed to. */
const cold = (count: number, error?: unknown): ObservableLike<number> => ({
  subscribe(observer) {
    for (const n of range(count)) observer.next(n);
    if (error === undefined) observer.complete();
    else observer.error(error);
    return { unsubscribe(): void {} };
  },
});

describe("observe", () => {
  it("is subscribed to by the first pull, once per iteration, and left in each shape of leaving", async () => {
    for (const shape of ["function", "object", "signal"] as const) {
      const subject = new Subject<number>(shape);
      const observed = observe(subject, { overflow: "fail" });
      const [one, two] = [observed[Symbol.asyncIterator](), observed[Symbol.asyncIterator]()];
      expect(subject.subscribed).toBe(0);
      const pulls = [one.next(), one.next(), two.next()];
      subject.tell(1, 2);
      expect((await Promise.all(pulls)).map(({ value }) => value as unknown)).toEqual([1, 2, 1]);
      expect([subject.observers.size, observed.waiting]).toEqual([2, 1]);
      expect(await two.return?.()).toEqual({ value: undefined, done: true });
      expect([subject.observers.size, observed.waiting]).toEqual([1, 0]);
      const waiting = one.next();
      await one.return?.();
      await one.return?.();
      expect(await waiting).toEqual({ value: undefined, done: true });
      expect(subject.observers.size).toBe(0);
    }
  });

  it.each([
    ["dropOldest", 3, [7, 8, 9], 7],
    ["dropNewest", 3, [0, 1, 2], 7],
    ["latest", undefined, [9], 9],
  ] as const)(
    "%s lets go of what does not fit, and counts it",
    async (overflow, bufferSize, kept, dropped) => {
      const counts: unknown[] = [];
      using _dropped = attach("sluice.stage.discarded", (event) => counts.push(event));
      const subject = new Subject<number>();
      const options = bufferSize === undefined ? { overflow } : { overflow, bufferSize };
      const observed = observe(subject, options);
      const pulls = observed[Symbol.asyncIterator]();
      const first = pulls.next();
      subject.tell(-1, ...range(10));
      expect((await first).value).toBe(-1);
      expect([observed.waiting, observed.dropped]).toEqual([kept.length, dropped]);
      expect(counts.length).toBe(dropped);
      const read: unknown[] = [];
      for (let left = kept.length; left > 0; left--) read.push((await pulls.next()).value);
      expect(read).toEqual(kept);
      await pulls.return?.();
    },
  );

  it("fail ends with an error, once, after what waits, and has unsubscribed", async () => {
    const subject = new Subject<number>();
    const pulls = observe(subject, { overflow: "fail", bufferSize: 2 })[Symbol.asyncIterator]();
    const first = pulls.next();
    subject.tell(0, 1, 2, 3, 4);
    expect(subject.observers.size).toBe(0);
    expect([(await first).value, (await pulls.next()).value, (await pulls.next()).value]).toEqual([
      0, 1, 2,
    ]);
    await expect(pulls.next()).rejects.toMatchObject({
      code: "SLUICE_BUFFER_FULL",
      details: { limit: 2 },
    });
    expect(await pulls.next()).toEqual({ value: undefined, done: true });
  });

  it("one that tells at once is read to its end, or to its error, which is told once", async () => {
    await world(async () => {
      expect(await all(observe(cold(5), { overflow: "fail" }))).toEqual(range(5));
      expect(await take(observe(cold(5), { overflow: "fail" }), 2)).toEqual([0, 1]);
      const pulls = observe(cold(1, new RangeError("one")), { overflow: "fail" })[
        Symbol.asyncIterator
      ]();
      expect((await pulls.next()).value).toBe(0);
      await expect(pulls.next()).rejects.toThrow("one");
      expect(await pulls.next()).toEqual({ value: undefined, done: true });
    });
  });

  it("one that tells too much while it is subscribed to is left as soon as it says how", async () => {
    let left = 0;
    const flood: ObservableLike<number> = {
      subscribe(observer) {
        for (const n of range(9)) observer.next(n);
        return () => left++;
      },
    };
    const options = { overflow: "fail", bufferSize: 1 } as const;
    await expect(all(observe(flood, options))).rejects.toMatchObject({
      code: "SLUICE_BUFFER_FULL",
    });
    expect(left).toBe(1);
  });

  it("one that cannot be subscribed to fails the pull", async () => {
    const broken = {
      subscribe(): never {
        throw new RangeError("closed");
      },
    };
    await expect(all(observe<number>(broken, { overflow: "latest" }))).rejects.toThrow("closed");
  });

  it("is a source: pulled by demand, left at the stop, its error the crash of the stage", async () => {
    await world(async () => {
      using _silent = quietly();
      for (const how of ["stop", "kill", "break", "error"] as const) {
        const subject = new Subject<number>("object");
        const observed = observe(subject, { overflow: "dropOldest", bufferSize: 5 });
        const source = await start(from(() => observed, { onCancel: "stop" }));
        expect(subject.subscribed).toBe(0);
        const reader = stream(source, { maxDemand: 1 })[Symbol.asyncIterator]();
        const pulled = reader.next();
        await turns();
        subject.tell(...range(9));
        expect((await pulled).value).toBe(0);
        await turns();
        expect([observed.waiting, observed.dropped]).toEqual([5, 3]);
        if (how === "stop") await source.stop("shutdown");
        if (how === "kill") cellOf(source).kill("killed");
        if (how === "break") await reader.return();
        if (how === "error") {
          for (const observer of subject.observers) observer.error(new RangeError("gone"));
          for (const expected of [4, 5, 6, 7, 8])
            expect((await reader.next()).value).toBe(expected);
          await expect(reader.next()).rejects.toMatchObject({ cause: new RangeError("gone") });
        }
        await source.exited;
        await reader.return();
        await turns();
        expect([observed.waiting, how === "error" ? 0 : subject.observers.size]).toEqual([0, 0]);
      }
    });
  });

  it.each([
    [undefined, { overflow: "fail" }, "observe: observable: got"],
    [{}, { overflow: "fail" }, "observe: observable: got {}"],
    [cold(1), undefined, "observe: overflow: got undefined"],
    [cold(1), { overflow: "wait" }, 'observe: overflow: got "wait"'],
    [cold(1), { overflow: "fail", bufferSize: 0 }, "observe: bufferSize: got 0"],
    [cold(1), { overflow: "latest", bufferSize: 9 }, "observe: bufferSize: got 9"],
    [cold(1), { overflow: "fail", limit: 9 }, "observe: limit: got 9"],
  ])("refuses %o with %o", (observable, options, message) => {
    expect(() => observe(observable as never, options as never)).toThrow(message);
  });
});
