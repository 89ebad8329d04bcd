import { describe, expect, it } from "vitest";
import { sleep } from "../process/index.ts";
import { currentSystem } from "../runtime/internal.ts";
import { simulate } from "../testing/index.ts";
import { AppendQueue } from "./append-queue.ts";
import type { Position } from "./log.ts";

/** A queue to a store that answers when it is told to. */
function queue(options: { readonly timeoutMs?: number; readonly maxBatchBytes?: number } = {}) {
  const sent: (readonly string[])[] = [];
  const answers: { resolve(position: Position): void; reject(error: unknown): void }[] = [];
  const state = { bytes: 0, idle: 0, offset: 0 };
  const appends = new AppendQueue({
    runtime: currentSystem().runtime,
    timeoutMs: options.timeoutMs ?? 1_000,
    maxBatchBytes: () => options.maxBatchBytes ?? 1_000_000,
    before: async () => {},
    append: (texts) => {
      sent.push(texts);
      return new Promise((resolve, reject) => answers.push({ resolve, reject }));
    },
    done: (bytes) => (state.bytes += bytes),
    idle: () => state.idle++,
  });
  const answer = (): void => {
    state.offset += sent.at(-1)!.length;
    answers.at(-1)!.resolve({ epoch: "e", offset: state.offset });
  };
  return { appends, sent, answers, answer, state };
}

const inTime = (body: () => Promise<void>) => () => simulate(body, { seeds: 1 });

describe("AppendQueue", () => {
  it(
    "sends one batch at a time, in the order of the calls, and gives each call its own end",
    inTime(async () => {
      const { appends, sent, answer, state } = queue();
      const ends = [appends.push(["a"], 1), appends.push(["b", "c"], 2)];
      await sleep(1);
      ends.push(appends.push(["d"], 1), appends.push([], 0), appends.push(["e"], 1));
      await sleep(1);
      expect(sent).toEqual([["a", "b", "c"]]);
      answer();
      await sleep(1);
      expect(sent).toEqual([
        ["a", "b", "c"],
        ["d", "e"],
      ]);
      answer();
      const offsets = (await Promise.all(ends)).map(({ offset }) => offset);
      expect(offsets).toEqual([1, 3, 4, 4, 5]);
      await sleep(1);
      expect(state).toMatchObject({ bytes: 5, idle: 1 });
      expect(appends.idle).toBe(true);
    }),
  );

  it(
    "cuts batches by bytes",
    inTime(async () => {
      const { appends, sent, answer } = queue({ maxBatchBytes: 10 });
      const ends = Promise.all(["a", "b", "c", "d"].map((text) => appends.push([text], 4)));
      for (const count of [1, 2]) {
        await sleep(1);
        expect(sent.length).toBe(count);
        answer();
      }
      await ends;
      expect(sent).toEqual([
        ["a", "b"],
        ["c", "d"],
      ]);
    }),
  );

  it(
    "cuts batches by entries, but never a call",
    inTime(async () => {
      const { appends, sent, answer } = queue();
      const texts = (count: number): string[] => Array.from({ length: count }, () => "x");
      const ends = Promise.all([600, 400, 1, 5_000].map((count) => appends.push(texts(count), 1)));
      for (const count of [1, 2, 3]) {
        await sleep(1);
        expect(sent.length).toBe(count);
        answer();
      }
      expect((await ends).map(({ offset }) => offset)).toEqual([600, 1_000, 1_001, 6_001]);
      expect(sent.map(({ length }) => length)).toEqual([1_000, 1, 5_000]);
    }),
  );

  it(
    "rejects each call when its time is over: what is on its way, and what waits behind it",
    inTime(async () => {
      const { appends, sent, state } = queue({ timeoutMs: 100 });
      const { runtime } = currentSystem();
      const began = runtime.now();
      const over: number[] = [];
      const late = (promise: Promise<unknown>): Promise<void> =>
        expect(promise)
          .rejects.toMatchObject({ code: "SLUICE_TIMEOUT" })
          .then(() => void over.push(runtime.now() - began));
      const first = late(appends.push(["a"], 1));
      await sleep(30);
      const second = late(appends.push(["b"], 1));
      await Promise.all([first, second]);
      expect(over.map((ms) => Math.round(ms / 10) * 10)).toEqual([100, 130]);
      expect(sent).toEqual([["a"], ["b"]]);
      await sleep(1);
      expect(state.bytes).toBe(2);
      expect(appends.idle).toBe(true);
    }),
  );

  it(
    "goes on after a failure, which all calls of the batch hear of",
    inTime(async () => {
      const { appends, answers, answer, sent } = queue();
      const failed = [appends.push(["a"], 1), appends.push(["b"], 1)];
      await sleep(1);
      const next = appends.push(["c"], 1);
      answers[0]!.reject(new Error("no"));
      for (const one of failed) await expect(one).rejects.toThrow("no");
      await sleep(1);
      expect(sent.at(-1)).toEqual(["c"]);
      answer();
      expect((await next).epoch).toBe("e");
    }),
  );
});
