import { describe, expect, it } from "vitest";
import { Process, start, startSupervisor, type Running } from "../process/index.ts";
import { attach } from "../telemetry/index.ts";
import { simulate, type Simulation } from "../testing/index.ts";
import type { Announces, PresenceChange, PresenceOptions } from "./options.ts";
import { presence, type Presence } from "./presence.ts";

interface Meta {
  readonly n: number;
}
interface Extra {
  readonly name: string;
}
type Here = Presence<Meta, Extra>;
type Options = PresenceOptions<Meta, Extra>;

const here: Here = presence<Meta, Extra>("here");

/** Somebody who is no channel, and says where. */
class Guest extends Process {
  track(key: string, meta: unknown, topic: string): Promise<string> {
    return here.track(this.self, key, meta as Meta, topic);
  }
  update(key: string, meta: unknown, topic: string): Promise<string> {
    return here.update(this.self, key, meta as Meta, topic);
  }
  untrack(key: string, topic: string): Promise<void> {
    return here.untrack(this.self, key, topic);
  }
  untrackAll(): Promise<void> {
    return here.untrackAll(this.self);
  }
  pushState(topic: string, push: (event: string, payload: object) => void): Promise<void> {
    return here.pushState(
      Object.assign(Object.create(this.self) as object, { topic, push }) as never,
    );
  }
  /** The reason of a refusal; for one that is none of ours, its name. */
  async why(work: "track" | "update", key: string, meta: unknown, topic = "t"): Promise<unknown> {
    try {
      return await this[work](key, meta, topic);
    } catch (error) {
      const { code, details } = error as {
        code: string;
        details?: { why?: string; limit?: string };
      };
      return details?.why ?? details?.limit ?? code;
    }
  }
}

/** Keeps what clients would be told. */
class Told implements Announces {
  readonly told: { readonly event: string; readonly payload: unknown }[] = [];
  "~clients"(): number {
    return 1;
  }
  "~announce"(_system: unknown, _topic: string, event: string, payload: object): void {
    this.told.push({ event, payload: JSON.parse(JSON.stringify(payload)) });
  }
}

interface Bench extends Simulation {
  readonly guest: () => Promise<Running<Guest>>;
  readonly told: Told["told"];
  readonly logs: string[];
}

/** Runs the body with a tracker, in several orders. */
async function bench(
  options: Options,
  body: (bench: Bench) => Promise<void>,
  seeds = 5,
): Promise<void> {
  const logs: string[] = [];
  using _logs = attach("sluice.log", ({ message }) => void logs.push(message));
  await simulate(
    async (simulation) => {
      const to = new Told();
      await using _app = await startSupervisor({
        strategy: "one_for_one",
        children: { here: here.child({ to, ...options }) },
      });
      const guests: Running<Guest>[] = [];
      const guest = async (): Promise<Running<Guest>> => {
        const one = await start(Guest);
        guests.push(one);
        return one;
      };
      try {
        await body({ ...simulation, guest, told: to.told, logs });
      } finally {
        for (const one of guests) await one.stop();
      }
    },
    { seeds },
  );
}

const ref = expect.stringMatching(/^[0-9a-z]{20}\.[0-9a-z]+$/) as string;

describe("track, update, untrack", () => {
  it("a process is present until it untracks or ends; its metas are in the order of tracking (C81, C82, C103, L97, L100, L102, L120)", () =>
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
        expect(thrown).toMatch("the function that makes its meta threw: Error: mine");
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

  it("its limits hold, each by its name; others leave, and time passes (R55)", () =>
    bench(
      { limits: { maxMetasPerKey: 2, maxKeysPerTopic: 3, maxPerProcess: 4, updatesPerSecond: 2 } },
      async ({ guest, advance }) => {
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
        for (const n of [1, 2]) expect(await one.call.why("update", "k", { n })).toEqual(ref);
        expect(await one.call.why("update", "k", { n: 3 })).toBe("updatesPerSecond");
        await advance(500);
        expect(await one.call.why("update", "k", { n: 4 })).toEqual(ref);
        expect(await one.call.why("update", "k", { n: 5 })).toBe("updatesPerSecond");
      },
    ));

  it("without its child nobody is there to be asked; a topic is needed where the process is no channel", async () => {
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

describe("diffs", () => {
  it("what happens within some ms is one diff; what came and left within them is not in it; a state and the diffs after it tell of each once (C87, C88, C89, L103)", () =>
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

  it("large diffs and states go out in pieces, cut between keys (R55)", () =>
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
      },
      1,
    ));

  it("fetch is called once for the joins and once for the leaves of a diff; what it does wrong is logged, and metas go out without it (C86, L94, L98)", async () => {
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

  it("handleMetas hears each diff in order, with what each key has now; one that fails is logged, and the next is heard (C90, L105)", () => {
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
      expect(logs.filter((message) => message.includes("handleMetas failed"))).toHaveLength(4);
    });
  });
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
      ["byeOnStop", { byeOnStop: "yes" }],
      ["maxMessageBytes", { maxMessageBytes: 10 }],
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
