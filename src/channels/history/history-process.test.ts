// The child that owns the log of an endpoint's history.
import { describe, expect, it } from "vitest";
import { startSupervisor } from "../../process/index.ts";
import { processes } from "../../process/internal.ts";
import { currentSystem } from "../../runtime/internal.ts";
import { MemoryLog, type Log } from "../../store/index.ts";
import { attach } from "../../telemetry/index.ts";
import { simulate } from "../../testing/index.ts";
import { endpoint } from "../endpoint.ts";
import type { HistoryEntry } from "./history-entry.ts";
import type { HistoryLogOptions } from "./history-options.ts";

interface Topics {
  feed: { out: { said: { readonly n: number } }; history: true };
  plain: { out: { said: { readonly n: number } } };
}
type Entries = Log<HistoryEntry>;

/** A log that tells when it is closed. */
const closable = (store: Entries, close: () => void): Entries & Disposable => ({
  append: (topic, entries) => store.append(topic, entries),
  read: (topic, after, limit) => store.read(topic, after, limit),
  last: (topic, count) => store.last(topic, count),
  tail: (topic, start, listener) => store.tail(topic, start, listener),
  drop: (topic) => store.drop(topic),
  [Symbol.dispose]: close,
});

describe("a log given by `history`", () => {
  it("that is given after something was said is refused, for it would begin with a hole", () =>
    simulate(
      async () => {
        const web = endpoint<Topics>("web");
        web.channel("feed", { join: () => ({ assigns: {} }), history: {} });
        await web.publish("feed", "said", { n: 1 });
        const history = web.history({ log: () => new MemoryLog<HistoryEntry>() });
        await expect(
          startSupervisor({ strategy: "one_for_one", children: { history } }),
        ).rejects.toThrow("opened before anything is said");
      },
      { seeds: 1 },
    ));

  it("is one for each endpoint: another is refused, closed, and takes nothing from the first", () =>
    simulate(
      async () => {
        const web = endpoint<Topics>("web");
        const store = new MemoryLog<HistoryEntry>();
        let closed = 0;
        const children = {
          history: web.history({ log: () => closable(store, () => closed++), topics: ["feed"] }),
        };
        await using _app = await startSupervisor({ strategy: "one_for_one", children });
        await expect(startSupervisor({ strategy: "one_for_one", children })).rejects.toThrow(
          "one log for the endpoint of this key",
        );
        expect(closed).toBe(1);
        expect(await web.publish("feed", "said", { n: 1 })).toMatchObject({ offset: 1 });
      },
      { seeds: 1 },
    ));

  it("that is opened when its child is gone already is closed, and the next child takes its place", () =>
    simulate(
      async ({ advance }) => {
        using _quiet = attach("sluice.log", () => {});
        const web = endpoint<Topics>("web");
        const late = Promise.withResolvers<Entries>();
        let closed = 0;
        const slow = startSupervisor({
          strategy: "one_for_one",
          children: { history: web.history({ log: () => late.promise, topics: ["feed"] }) },
        });
        slow.catch(() => {});
        await advance(1);
        const cells = [...currentSystem().get(processes)];
        cells.find(({ engine }) => engine?.role === "history")!.kill("killed");
        await advance(20);
        const store = new MemoryLog<HistoryEntry>();
        late.resolve(closable(store, () => closed++));
        await advance(20);
        expect(closed).toBe(1);
        await using _app = await startSupervisor({
          strategy: "one_for_one",
          children: { history: web.history({ log: () => store, topics: ["feed"] }) },
        });
        expect(await web.publish("feed", "said", { n: 3 })).toMatchObject({ offset: 1 });
      },
      { seeds: 1 },
    ));

  it("takes what a node publishes that defines no channels, on the topics it is told of, and on no other", () =>
    simulate(
      async () => {
        const web = endpoint<Topics>("web");
        const store = new MemoryLog<HistoryEntry>();
        await using _app = await startSupervisor({
          strategy: "one_for_one",
          children: { history: web.history({ log: () => store, topics: ["feed"] }) },
        });
        web.broadcast("feed", "said", { n: 1 });
        web.broadcast("plain", "said", { n: 2 });
        expect(await web.publish("feed", "said", { n: 3 })).toMatchObject({ offset: 2 });
        expect(await store.last("plain", 9)).toMatchObject({ entries: [] });
      },
      { seeds: 1 },
    ));

  it.each([
    ["log", { log: {} }],
    ["maxAppends", { maxAppends: 0 }],
    ["appendTimeoutMs", { appendTimeoutMs: 0.5 }],
    ["pattern", { topics: ["a*b"] }],
    ["secrets", { secrets: ["short"] }],
  ])("refuses a wrong %s", (name, options) => {
    const wrong = { log: () => new MemoryLog(), ...options } as HistoryLogOptions<Topics>;
    expect(() => endpoint<Topics>("web").history(wrong)).toThrow(name);
  });

  it("that is none fails the start", () =>
    simulate(
      async () => {
        const history = endpoint<Topics>("web").history({ log: () => ({}) as Entries });
        await expect(
          startSupervisor({ strategy: "one_for_one", children: { history } }),
        ).rejects.toThrow("history");
      },
      { seeds: 1 },
    ));
});
