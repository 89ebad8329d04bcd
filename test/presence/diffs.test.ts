import { describe, expect, it } from "vitest";
import type { Announces, PresenceChange } from "sluice/presence";
import { bench, here, type Meta, type Options } from "./bench.ts";
import { ref } from "./ref.ts";

describe("diffs", () => {
  it("what happens within some ms is one diff; what came and left within them is not in it; a state and the diffs after it tell of each once, to whatever announces (C87, C88, C89, L99, L103)", () =>
    bench({}, async ({ guest, told, advance }) => {
      const [one, two] = [await guest(), await guest()];
      const pushed: unknown[] = [];
      await one.call.track("a", { n: 1 }, "t");
      await advance(30);
      expect(told).toEqual([
        {
          event: "presence_diff",
          payload: { joins: { a: { metas: [{ n: 1, phx_ref: ref }] } }, leaves: {} },
        },
      ]);
      await one.call.track("b", { n: 2 }, "t");
      await two.call.track("short", { n: 3 }, "t");
      await two.call.untrack("short", "t");
      await one.call.untrack("a", "t");
      await one.call.pushState(
        "t",
        (event, payload) => void pushed.push([event, Object.keys(payload)]),
      );
      expect(pushed).toEqual([["presence_state", ["a"]]]);
      await advance(30);
      expect(told.slice(1)).toEqual([
        {
          event: "presence_diff",
          payload: {
            joins: { b: { metas: [{ n: 2, phx_ref: ref }] } },
            leaves: { a: { metas: [{ n: 1, phx_ref: ref }] } },
          },
        },
      ]);
    }));

  it("large diffs and states go out in pieces, cut between keys, the two sides of an update together (R55, L103)", () =>
    bench(
      { maxPieceBytes: 1_024 },
      async ({ guest, told, advance }) => {
        const one = await guest();
        const pushed: { readonly event: string; readonly payload: object }[] = [];
        for (let n = 0; n < 30; n++)
          await one.call.track(`k${n}`, { n, text: "x".repeat(100) }, "t");
        await advance(30);
        await one.call.pushState("t", (event, payload) => void pushed.push({ event, payload }));
        expect(told.length).toBeGreaterThan(3);
        expect(pushed.map(({ event }) => event)).toEqual([
          "presence_state",
          ...told.slice(1).map(() => "presence_diff"),
        ]);
        for (const { payload } of [...told, ...pushed])
          expect(JSON.stringify(payload).length).toBeLessThan(1_400);
        const joined = told.flatMap(({ payload }) =>
          Object.keys((payload as { joins: object }).joins),
        );
        expect(joined).toHaveLength(30);
        // Whatever is cut, the leave and the join of an update stay together.
        told.length = 0;
        for (let n = 0; n < 30; n++)
          await one.call.update(`k${n}`, { n: -n, text: "x".repeat(100) }, "t");
        await advance(30);
        expect(told.length).toBeGreaterThan(3);
        for (const { payload } of told) {
          const { joins, leaves } = payload as { readonly joins: object; readonly leaves: object };
          expect(Object.keys(leaves)).toEqual(Object.keys(joins));
        }
      },
      1,
    ));

  it("fetch is called once for the joins and once for the leaves of a diff; what it does wrong is logged, and metas go out without it (C85, C86, L94, L98)", async () => {
    const calls: string[][] = [];
    let fails = "";
    const fetch: NonNullable<Options["fetch"]> = async (_topic, presences, { signal }) => {
      calls.push([...presences.keys()]);
      if (fails === "throws") throw new Error("the database is away");
      if (fails === "wrong") return {} as never;
      if (fails === "hangs")
        await new Promise((_resolve, reject) => signal.addEventListener("abort", reject));
      if (fails === "no json") return new Map([["a", { name: 1n as never }]]);
      return new Map([...presences.keys()].map((key) => [key, { name: key.toUpperCase() }]));
    };
    await bench({ fetch, fetchTimeoutMs: 1_000 }, async ({ guest, told, advance, logs }) => {
      calls.length = told.length = logs.length = 0;
      const one = await guest();
      fails = "";
      await one.call.track("a", { n: 1 }, "t");
      await one.call.track("b", { n: 1 }, "t");
      await advance(30);
      await one.call.untrack("a", "t");
      await one.call.track("c", { n: 1 }, "t");
      await advance(30);
      expect(calls).toEqual([["a", "b"], ["c"], ["a"]]);
      expect(told[0]?.payload).toMatchObject({ joins: { a: { name: "A", metas: [{ n: 1 }] } } });
      expect(told[1]?.payload).toMatchObject({
        joins: { c: { name: "C" } },
        leaves: { a: { name: "A" } },
      });
      expect((await here.list("t")).get("b")).toEqual({
        name: "B",
        metas: [{ n: 1, phx_ref: ref }],
      });
      calls.length = 0;
      expect(await here.getByKey("t", "b")).toEqual({
        name: "B",
        metas: [{ n: 1, phx_ref: ref }],
      });
      expect(calls).toEqual([["b"]]);
      for (const [nth, how] of ["throws", "wrong", "hangs", "no json"].entries()) {
        fails = how;
        await one.call.track("a", { n: nth }, `t${nth}`);
        await advance(1_100);
        expect(told.at(-1)?.payload).toEqual({
          joins: { a: { metas: [{ n: nth, phx_ref: ref }] } },
          leaves: {},
        });
      }
      expect(logs.filter((message) => /fetch|presence_diff/.test(message))).toHaveLength(4);
      fails = "throws";
      await expect(here.list("t")).rejects.toThrow("the database is away");
    });
  });

  it("whoever asks waits for fetch no longer than for a diff, and its signal aborts; a list after that is as any (C86, L94)", async () => {
    const aborted: unknown[] = [];
    let hangs = false;
    const fetch: NonNullable<Options["fetch"]> = (_topic, presences, { signal }) => {
      if (!hangs) return new Map([...presences.keys()].map((key) => [key, { name: "known" }]));
      return new Promise(() =>
        signal.addEventListener("abort", () => aborted.push(signal.reason), { once: true }),
      );
    };
    await bench({ fetch, fetchTimeoutMs: 1_000 }, async ({ guest, advance, quiet }) => {
      await (await guest()).call.track("a", { n: 1 }, "t");
      await advance(30);
      for (const ask of [
        () => here.list("t"),
        () => here.getByKey("t", "a"),
        () => here.page("t"),
      ]) {
        aborted.length = 0;
        hangs = true;
        const asked = ask().catch((error: unknown) => error);
        await quiet();
        await advance(999);
        expect(aborted).toEqual([]);
        await advance(1);
        expect(aborted).toHaveLength(1);
        expect(await asked).toMatchObject({
          code: "SLUICE_TIMEOUT",
          details: { timeoutMs: 1_000 },
          retryable: true,
        });
        expect(aborted).toEqual([await asked]);
        hangs = false;
        await ask();
      }
      expect((await here.getByKey("t", "a"))?.name).toBe("known");
    });
  });

  it("a test can wait until nothing is on its way (C92)", () => {
    let open = 0;
    const fetch: NonNullable<Options["fetch"]> = async () => {
      open++;
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
      open--;
      return new Map();
    };
    return bench({ fetch }, async ({ guest, told, advance, quiet }) => {
      told.length = 0;
      const one = await guest();
      await one.call.track("k", { n: 1 }, "t");
      await advance(30);
      await quiet();
      expect([open, told.length]).toEqual([0, 1]);
      // Nobody waits for what comes of these two.
      const two = await guest();
      await two.call.track("l", { n: 2 }, "t");
      const pushed: string[] = [];
      two.cast.pushState("t", (event) => void pushed.push(event));
      void one.stop();
      await quiet();
      expect([pushed, open, [...(await here.list("t")).keys()]]).toEqual([
        ["presence_state"],
        0,
        ["l"],
      ]);
    });
  });

  it("while fetch takes its time, one diff and one state wait, whatever happens (R55)", () => {
    let open = (): void => {};
    const fetch: NonNullable<Options["fetch"]> = async () => {
      await new Promise<void>((resolve) => (open = resolve));
      return new Map();
    };
    return bench({ fetch }, async ({ guest, told, advance, quiet }) => {
      told.length = 0;
      const one = await guest();
      const pushed: string[][] = [];
      await one.call.track("first", {}, "t");
      await advance(30);
      for (let n = 0; n < 50; n++) {
        await one.call.track(`k${n}`, {}, "t");
        await advance(30);
        await one.call.pushState("t", (_event, payload) => void pushed.push(Object.keys(payload)));
      }
      expect(told).toEqual([]);
      for (let n = 0; n < 6; n++) {
        open();
        await advance(25);
      }
      await quiet();
      const keys = told.map(
        ({ payload }) => Object.keys((payload as { joins: object }).joins).length,
      );
      expect(keys.reduce((sum, count) => sum + count, 0)).toBe(51);
      expect(keys.length).toBeLessThanOrEqual(4);
      expect(pushed.length).toBeLessThanOrEqual(2);
    });
  });

  it("while fetch takes its time for one topic, any number of topics that nobody here has joined may change (R55)", () => {
    const open = Promise.withResolvers<Awaited<ReturnType<NonNullable<Options["fetch"]>>>>();
    const topics = 5_000;
    const hears: Announces = {
      "~clients": (_system, topic) => (topic === "joined" ? 1 : 0),
      "~announce": () => {},
    };
    return bench(
      { to: hears, fetch: () => open.promise, limits: { maxPerProcess: topics + 1 } },
      async ({ guest, advance, logs }) => {
        const one = await guest();
        await one.call.track("k", { n: 0 }, "joined");
        await advance(30);
        for (let n = 0; n < topics; n++) await one.call.track("k", { n }, `t${n}`);
        await advance(30);
        open.resolve(new Map());
        await advance(30);
        expect(logs).toEqual([]);
        expect(await here.count("joined")).toBe(1);
      },
      1,
    );
  });

  it("handleMetas hears each diff in order, with what each key has now; one that fails is logged, and the next is heard (C90, C100, L105)", () => {
    const heard: unknown[] = [];
    const names = (metas: PresenceChange<Meta>["current"]): unknown =>
      Object.fromEntries([...metas].map(([key, all]) => [key, all.map(({ n }) => n)]));
    const handleMetas = ({ topic, joins, leaves, current }: PresenceChange<Meta>): void => {
      heard.push([topic, names(joins), names(leaves), names(current)]);
      throw new Error("a listener fails");
    };
    return bench({ handleMetas }, async ({ guest, advance, logs }) => {
      heard.length = logs.length = 0;
      const [one, two] = [await guest(), await guest()];
      await one.call.track("k", { n: 1 }, "t");
      await advance(30);
      await two.call.track("k", { n: 2 }, "t");
      await advance(30);
      await one.call.untrack("k", "t");
      await advance(30);
      await two.call.untrack("k", "t");
      await advance(30);
      expect(heard).toEqual([
        ["t", { k: [1] }, {}, { k: [1] }],
        ["t", { k: [2] }, {}, { k: [1, 2] }],
        ["t", {}, { k: [1] }, { k: [2] }],
        ["t", {}, { k: [2] }, { k: [] }],
      ]);
      heard.length = 0;
      // Of several topics and keys at once, each topic by itself, and what else a key has.
      await one.call.track("k", { n: 3 }, "t");
      await one.call.track("l", { n: 4 }, "t");
      await two.call.track("k", { n: 5 }, "new");
      await advance(30);
      await two.call.track("l", { n: 6 }, "t");
      await one.call.untrack("k", "t");
      await advance(30);
      expect(heard).toEqual([
        ["t", { k: [3], l: [4] }, {}, { k: [3], l: [4] }],
        ["new", { k: [5] }, {}, { k: [5] }],
        ["t", { l: [6] }, { k: [3] }, { k: [], l: [4, 6] }],
      ]);
      expect(logs.filter((message) => message.includes("handleMetas failed"))).toHaveLength(7);
    });
  });
});
