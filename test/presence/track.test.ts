import { describe, expect, it } from "vitest";
import { start } from "sluice";
import { presence } from "sluice/presence";
import { simulate } from "sluice/testing";
import { Guest, bench, here, type Meta, type Options } from "./bench.ts";
import { ref } from "./ref.ts";

describe("track, update, untrack", () => {
  it("a process is present until it untracks or ends; its metas are in the order of tracking (C81, C82, C85, C103, L95, L96, L97, L100, L102, L120)", () =>
    bench({}, async ({ guest, quiet }) => {
      const [one, two] = [await guest(), await guest()];
      await one.call.track("k", { n: 1 }, "t");
      await two.call.track("k", { n: 2 }, "t");
      await one.call.track("other", { n: 3 }, "t");
      expect((await here.getByKey("t", "k"))?.metas).toEqual([
        { n: 1, phx_ref: ref },
        { n: 2, phx_ref: ref },
      ]);
      expect([
        await here.count("t"),
        await here.getByKey("t", "nobody"),
        (await here.list("none")).size,
      ]).toEqual([2, undefined, 0]);
      await one.call.untrack("other", "t");
      await one.call.untrack("other", "t");
      expect([...(await here.list("t")).keys()]).toEqual(["k"]);
      await two.stop();
      await quiet();
      expect((await here.getByKey("t", "k"))?.metas).toHaveLength(1);
      await one.call.track("elsewhere", { n: 4 }, "u");
      await one.call.untrackAll();
      expect([await here.count("t"), await here.count("u")]).toEqual([0, 0]);
    }));

  it("an update keeps the place of its meta among those of its key (L97)", () =>
    bench({}, async ({ guest }) => {
      const [one, two] = [await guest(), await guest()];
      await one.call.track("k", { n: 1 }, "t");
      await two.call.track("k", { n: 2 }, "t");
      await one.call.update("k", { n: 3 }, "t");
      expect((await here.getByKey("t", "k"))?.metas.map(({ n }) => n)).toEqual([3, 2]);
    }));

  it("an update has a ref of its own and names the one before; what is not tracked cannot be updated, nor tracked twice (C81, C83, L104, L120, L122)", () =>
    bench({}, async ({ guest }) => {
      const one = await guest();
      expect(await one.call.why("update", "k", { n: 1 })).toBe("SLUICE_NOT_TRACKED");
      const first = await one.call.track("k", { n: 1 }, "t");
      expect(await one.call.why("track", "k", { n: 2 })).toBe("SLUICE_ALREADY_TRACKED");
      const second = await one.call.update("k", ({ n }: Meta) => ({ n: n + 1 }), "t");
      expect((await here.getByKey("t", "k"))?.metas).toEqual([
        { n: 2, phx_ref: second, phx_ref_prev: first },
      ]);
    }));

  it("keys and metas that are not as they must be are refused, and nothing else happens (C93, R55, R62, R63)", () =>
    bench(
      {},
      async ({ guest }) => {
        const one = await guest();
        const deep = (depth: number): object => (depth === 0 ? {} : { in: deep(depth - 1) });
        const loop: { self?: object } = {};
        loop.self = loop;
        const why = (key: unknown, meta: unknown): Promise<unknown> =>
          one.call.why("track", key as string, meta);
        expect(await why("k".repeat(129), {})).toBe("the key is over 128 bytes");
        expect(await why("é".repeat(65), {})).toBe("the key is over 128 bytes");
        expect(await why(7, {})).toBe("the key is no text");
        expect(await why("~", {})).toMatch("is the runtime's own");
        expect(await why("\ud800", {})).toBe("half a character");
        expect(await why("__proto__", {})).toMatch(
          "every JavaScript object has a property of this name",
        );
        for (const meta of [null, 7, "text", [], undefined, () => {}])
          expect(await why("k", meta)).toBe("the meta is no object");
        expect(await why("k", { toJSON: () => "text" })).toBe("the meta is no object");
        expect(await why("k", loop)).toBe("the meta cannot be written as JSON");
        expect(await why("k", { n: 1n })).toBe("the meta cannot be written as JSON");
        expect(await why("k", { text: "x".repeat(4_096) })).toBe("the meta is over 4096 bytes");
        expect(await why("k", { text: "x".repeat(1_048_576) })).toBe("the meta is over 4096 bytes");
        expect(await why("k", deep(16))).toBe("the meta is nested deeper than 16");
        expect(await here.count("t")).toBe(0);
        await one.call.track("k", deep(15), "t");
        const thrown = await one.call.why("update", "k", () => {
          throw new Error("mine");
        });
        expect(thrown).toBe("mine");
        expect(await here.count("t")).toBe(1);
      },
      1,
    ));

  it("a meta is a copy: who holds the object changes nothing", () =>
    bench(
      {},
      async ({ guest }) => {
        const one = await guest();
        const meta = { n: 1 };
        await one.call.track("k", meta, "t");
        meta.n = 2;
        expect((await here.getByKey("t", "k"))?.metas).toEqual([{ n: 1, phx_ref: ref }]);
      },
      1,
    ));

  it("its limits hold, each by its name; others leave (R55)", () =>
    bench(
      { limits: { maxMetasPerKey: 2, maxKeysPerTopic: 3, maxPerProcess: 4 } },
      async ({ guest }) => {
        const [one, two, three] = [await guest(), await guest(), await guest()];
        await one.call.track("k", {}, "t");
        await two.call.track("k", {}, "t");
        expect(await three.call.why("track", "k", {})).toBe("maxMetasPerKey");
        await one.call.track("l", {}, "t");
        await one.call.track("m", {}, "t");
        expect(await three.call.why("track", "n", {})).toBe("maxKeysPerTopic");
        await one.call.track("o", {}, "u");
        expect(await one.call.why("track", "p", {}, "u")).toBe("maxPerProcess");
        await two.call.untrack("k", "t");
        expect(await three.call.why("track", "k", {})).toEqual(ref);
      },
    ));

  it("updates beyond the rate go out together, the newest as soon as it may; others with the same key are not held up (R55)", () =>
    bench({ limits: { updatesPerSecond: 2 } }, async ({ guest, advance }) => {
      const [one, two] = [await guest(), await guest()];
      const first = await one.call.track("k", { n: 0 }, "t");
      await two.call.track("k", { n: 100 }, "t");
      const metas = async (): Promise<number[]> =>
        (await here.getByKey("t", "k"))!.metas.map(({ n }) => n).toSorted((a, b) => a - b);
      const more = ({ n }: Meta): Meta => ({ n: n + 1 });
      const refs = [first];
      for (let n = 1; n <= 8; n++) refs.push(await one.call.update("k", more, "t"));
      // Two of its own each; the others are as the last one that went out.
      expect(new Set(refs).size).toBe(3);
      expect(new Set(refs.slice(2)).size).toBe(1);
      expect(await metas()).toEqual([2, 100]);
      await two.call.update("k", { n: 101 }, "t");
      await two.call.update("k", { n: 102 }, "t");
      expect(await metas()).toEqual([2, 102]);
      await advance(499);
      expect(await metas()).toEqual([2, 102]);
      await advance(1);
      expect(await metas()).toEqual([8, 102]);
      // That has used it up; half a second later there is one again.
      await one.call.update("k", more, "t");
      expect(await metas()).toEqual([8, 102]);
      await advance(500);
      expect(await metas()).toEqual([9, 102]);
    }));

  it("an update that waits is given up with what it belongs to, and a new life begins without it", () =>
    bench({ limits: { updatesPerSecond: 1 } }, async ({ guest, advance, quiet, told }) => {
      const one = await guest();
      const begin = async (): Promise<void> => {
        await one.call.track("k", { n: 0 }, "t");
        for (const n of [1, 2]) await one.call.update("k", { n }, "t");
      };
      await begin();
      await one.call.untrack("k", "t");
      await one.call.track("k", { n: 10 }, "t");
      await advance(2_000);
      expect((await here.getByKey("t", "k"))?.metas).toEqual([{ n: 10, phx_ref: ref }]);
      await one.call.untrackAll();
      await begin();
      await one.stop();
      await quiet();
      await advance(2_000);
      expect(await here.count("t")).toBe(0);
      expect(JSON.stringify(told)).not.toContain('"n":2');
    }));

  it("is a child of a supervisor, found by its token; without the child nobody is there to be asked (C80, L93)", async () => {
    const spec = here.child();
    expect([spec.type, spec.restart]).toEqual(["worker", "permanent"]);
    await simulate(
      async () => {
        await using one = await start(Guest);
        expect(await one.call.why("track", "k", {})).toBe("SLUICE_NO_PROCESS");
        await expect(here.list("t")).rejects.toMatchObject({ code: "SLUICE_NO_PROCESS" });
        await expect(async () => here.track({} as never, "k", { n: 1 })).rejects.toMatchObject({
          code: "SLUICE_INVALID_OPTION",
        });
      },
      { seeds: 1 },
    );
  });
});

describe("list, page, count", () => {
  it("pages hold each key once, in order, also when some come and go between two", () =>
    bench({}, async ({ guest }) => {
      const one = await guest();
      for (const key of ["d", "b", "a", "c", "e"]) await one.call.track(key, {}, "t");
      const first = await here.page("t", { limit: 2 });
      expect([[...first.presences.keys()], first.next]).toEqual([["a", "b"], "b"]);
      await one.call.untrack("b", "t");
      await one.call.track("aa", {}, "t");
      const second = await here.page("t", { limit: 2, after: first.next });
      const third = await here.page("t", { limit: 2, after: second.next });
      expect([[...second.presences.keys()], [...third.presences.keys()], third.next]).toEqual([
        ["c", "d"],
        ["e"],
        undefined,
      ]);
      expect((await here.page("none")).presences.size).toBe(0);
      await expect(here.page("t", { limit: 0 })).rejects.toMatchObject({
        code: "SLUICE_INVALID_OPTION",
      });
    }));
});

describe("child", () => {
  it("is refused what makes no sense, by the name of the option (C101, L121)", () => {
    const refusals: readonly (readonly [string, object])[] = [
      ["beatMs", { beatMs: 0 }],
      ["silentBeats", { silentBeats: 1.5 }],
      ["downMs", { beatMs: 100, silentBeats: 2, downMs: 399 }],
      ["forgetMs", { downMs: 30_000, forgetMs: 30_000 }],
      ["limits.maxKeyBytes", { limits: { maxKeyBytes: Infinity } }],
      ["fetch", { fetch: 7 }],
      ["to", { to: {} }],
      ["node", { node: "" }],
      ["diffMs", { diffMs: 0 }],
      ["fetchTimeoutMs", { fetchTimeoutMs: 0.5 }],
      ["askBeats", { askBeats: 0 }],
      ["maxRemovals", { maxRemovals: 0 }],
      ["byeOnStop", { byeOnStop: "yes" }],
      ["maxMessageBytes", { maxMessageBytes: 10 }],
      ["presence: beatMS", { beatMS: 100 }],
      ["limits: maxKeyByte", { limits: { maxKeyByte: 1 } }],
    ];
    for (const [option, options] of refusals)
      expect(() => here.child(options as Options)).toThrow(
        expect.objectContaining({ details: expect.objectContaining({ option }) as unknown }),
      );
    expect(() =>
      here.child({ beatMs: 100, silentBeats: 2, downMs: 400, forgetMs: 401 }),
    ).not.toThrow();
    expect(() => presence("")).toThrow("presence");
  });
});
