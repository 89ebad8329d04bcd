// The pages in which a past is read: how large they grow, and that what comes of them does not depend on that.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MemoryLog, type Log, type Position } from "../../store/index.ts";
import { CatchUp, type CaughtUp, type Wanted } from "./catch-up.ts";
import type { HistoryEntry } from "./history-entry.ts";

type Entries = Log<HistoryEntry>;
const plenty = { count: 1_000_000, bytes: 1_000_000_000 };

/** An entry of so many bytes. */
const sized = (bytes: number): HistoryEntry => ({ event: "said", payload: `{}`.padEnd(bytes - 4) });

/** A log of entries, which tells how many it was asked for at a time, and takes its time for each. */
async function logOf(entries: readonly HistoryEntry[], msPerEntry = 0) {
  const store = new MemoryLog<HistoryEntry>(plenty);
  const clock = { ms: 0, now: () => clock.ms };
  const asked: number[] = [];
  const log: Pick<Entries, "read"> = {
    async read(topic, after, limit) {
      asked.push(limit);
      const read = await store.read(topic, after, limit);
      clock.ms += read.entries.length * msPerEntry;
      return read;
    },
  };
  const heard = await store.append("feed", [...entries]);
  const catchUp = (wanted: Wanted, upTo: Position = heard): CatchUp =>
    new CatchUp(log as Entries, "feed", upTo, wanted, clock);
  return { store, heard, asked, catchUp };
}

async function all(past: CatchUp): Promise<CaughtUp> {
  while (!past.isDone) await past.read();
  return past.take();
}
const offsets = ({ entries }: CaughtUp): number[] => entries.map(({ offset }) => offset);
const range = (first: number, last: number): number[] =>
  Array.from({ length: Math.max(last - first + 1, 0) }, (_, n) => first + n);

describe("the pages of a past", () => {
  it.each([
    ["small entries are asked for a thousand at a time", 20, 0, [100, 1_000, 1_000, 1_000]],
    ["of larger ones as many as make 256 KiB", 1_024, 0, [100, ...Array<number>(11).fill(256)]],
    ["of very large ones a hundred all the same", 8_192, 0, Array<number>(27).fill(100)],
    [
      "a log that is slow is asked for what it says in half a second",
      20,
      2.5,
      [100, ...Array<number>(13).fill(200)],
    ],
    ["and one that is slower for a hundred", 20, 50, Array<number>(27).fill(100)],
  ])("%s", async (_, bytes, msPerEntry, pages) => {
    const { heard, asked, catchUp } = await logOf(
      Array.from({ length: 2_700 }, () => sized(bytes)),
      msPerEntry,
    );
    const told = await all(catchUp({ since: { ...heard, offset: 0 }, ...plenty }));
    expect(asked).toEqual(pages);
    expect([told.status, told.end, told.after]).toEqual(["resumed", heard, 0]);
    expect(offsets(told)).toEqual(range(1, 2_700));
  });

  it("grow and shrink with what comes", async () => {
    const { heard, asked, catchUp } = await logOf([
      ...Array.from({ length: 1_100 }, () => sized(20)),
      ...Array.from({ length: 2_000 }, () => sized(2_048)),
    ]);
    await all(catchUp({ since: { ...heard, offset: 0 }, ...plenty }));
    expect(asked).toEqual([100, 1_000, 1_000, ...Array<number>(8).fill(128)]);
  });

  it("bring the newest that are wanted, whatever their sizes, and say what is left out", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 6, max: 4_000 }), { minLength: 1, maxLength: 400 }),
        fc.nat(),
        fc.integer({ min: 1, max: 450 }),
        fc.integer({ min: 4_000, max: 400_000 }),
        fc.boolean(),
        async (sizes, place, count, bytes, isNew) => {
          const { heard, catchUp } = await logOf(sizes.map((size) => sized(size)));
          const last = sizes.length;
          const since = isNew ? undefined : { ...heard, offset: place % (last + 1) };
          const told = await all(catchUp({ since, count, bytes }));
          const from = since === undefined ? last - count : since.offset;
          let first = last + 1;
          let sum = 0;
          while (first - 1 > Math.max(from, last - count, 0) && sum + sizes[first - 2]! <= bytes)
            sum += sizes[--first - 1]!;
          expect(offsets(told)).toEqual(range(first, last));
          expect(told.end).toEqual(heard);
          expect(told.after).toBe(first - 1);
          expect(told.status).toBe(
            since === undefined ? undefined : first - 1 > from ? "gap" : "resumed",
          );
        },
      ),
      { numRuns: 100 },
    ));

  it("may be taken one by one, and are the same together", async () => {
    const { heard, catchUp } = await logOf(Array.from({ length: 2_500 }, () => sized(20)));
    const past = catchUp({ since: { ...heard, offset: 300 }, ...plenty });
    const taken: number[] = [];
    const ends: number[] = [];
    while (!past.isDone) {
      await past.read();
      const told = past.take();
      taken.push(...offsets(told));
      ends.push(told.end.offset);
    }
    expect(taken).toEqual(range(301, 2_500));
    expect(ends).toEqual([400, 1_400, 2_400, 2_500]);
  });

  it("end the reading when what is kept of the topic has changed since some were taken", async () => {
    const { store, heard, catchUp } = await logOf(Array.from({ length: 250 }, () => sized(20)));
    const past = catchUp({ since: { ...heard, offset: 0 }, ...plenty });
    await past.read();
    await store.drop("feed");
    await store.append("feed", [sized(20)]);
    await expect(past.read()).rejects.toThrow("began a new life");
    const [one, ...more] = Array.from({ length: 250 }, () => sized(20));
    const much = await logOf([one!, ...more]);
    const tooMuch = much.catchUp({
      since: { ...much.heard, offset: 0 },
      count: 1_000,
      bytes: 2_500,
    });
    await tooMuch.read();
    tooMuch.take();
    await expect(tooMuch.read()).rejects.toThrow("more than one client is handed");
  });
});
