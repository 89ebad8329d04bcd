import { expect, it } from "vitest";
import { MemoryLog, type Read } from "../../store/index.ts";
import { attach } from "../../telemetry/index.ts";
import { simulate } from "../../testing/index.ts";
import { currentSystem } from "../../runtime/internal.ts";
import type { HistoryEntry } from "./history-entry.ts";
import { SignedLog } from "./signed-log.ts";

const [one, other] = [
  "one secret of more than 32 bytes, says",
  "other secret of more than 32 bytes, says",
];
const said = (n: number): HistoryEntry => ({ event: "said", payload: `{"n":${n}}` });
const words = (entries: readonly (HistoryEntry | undefined)[]): unknown[] =>
  entries.map((entry) => entry?.payload);

it("hands on what nodes with a secret have said on that topic, in its place, and nothing else (R59)", () =>
  simulate(
    async ({ advance }) => {
      const told: number[] = [];
      using _told = attach("sluice.history.refused", ({ count }) => told.push(count));
      using _log = attach("sluice.log", () => {});
      const store = new MemoryLog<HistoryEntry>();
      const log = (key: string, ...secrets: string[]): SignedLog =>
        new SignedLog(store, key, secrets, currentSystem().runtime);
      const web = log("web", one);
      const reads: Read<HistoryEntry>[] = [];
      using _tail = web.tail("feed", { last: 0 }, (read) => reads.push(read));
      const { epoch } = await web.append("feed", [said(1), { ...said(2), id: "x" }]);
      const [signed] = (await store.last("feed", 2)).entries;
      const hostile: readonly unknown[] = [
        said(-1),
        { ...said(-1), proof: signed!.proof },
        { ...signed, event: "sold" },
        { ...signed, id: "another" },
        { ...signed, proof: 7 },
        null,
        "text",
      ];
      for (const entry of hostile) await store.append("feed", [entry as HistoryEntry]);
      await log("shop", one).append("feed", [said(-2)]);
      await log("web", other).append("feed", [said(-3)]);
      expect((await web.append("feed", [said(3)])).offset).toBe(12);
      await store.append("elsewhere", [signed!]);
      await advance(10);
      const all = ['{"n":1}', '{"n":2}', ...Array<undefined>(9), '{"n":3}'];
      expect(words(reads.flatMap(({ entries }) => entries))).toEqual(all);
      expect(words((await web.read("feed", { epoch, offset: 0 }, 100)).entries)).toEqual(all);
      expect(words((await web.last("feed", 100)).entries)).toEqual(all);
      expect(words((await web.last("elsewhere", 9)).entries)).toEqual([undefined]);
      expect([web.refused, told]).toEqual([28, [1]]);
      await advance(10_000);
      await web.last("elsewhere", 9);
      expect(told).toEqual([1, 28]);
      // The first signs, all verify.
      const both = log("web", other, one);
      expect(words((await both.last("feed", 3)).entries)).toEqual([
        undefined,
        '{"n":-3}',
        '{"n":3}',
      ]);
    },
    { seeds: 3 },
  ));
