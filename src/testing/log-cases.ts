import { deepEqual, equal, notEqual, ok, rejects, throws } from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { sleep } from "../process/index.ts";
import { firstOffset, type Log, type Position } from "../store/index.ts";
import type { LogCase } from "./log-suite.ts";

/** The texts of the numbers from `first` to `last`. */
export const texts = (first: number, last: number): string[] =>
  Array.from({ length: last - first + 1 }, (_, index) => String(first + index));

const topic = "lines";

/** Appends the numbers from 1 to `last`, each by itself, and gives the place before them. */
export async function count(log: Log<string>, last: number): Promise<Position> {
  let position: Position | undefined;
  for (const text of texts(1, last)) position = await log.append(topic, [text]);
  return { epoch: position?.epoch ?? "", offset: 0 };
}

const invalid = { code: "SLUICE_INVALID_OPTION" };

/** Bytes in use, after a collection. */
function heap(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  return process.memoryUsage().heapUsed;
}

/** What is appended, read and kept. */
export const logCases: readonly LogCase[] = [
  {
    name: "numbers the entries from 1, each one more, and tells the position of the last",
    async body({ open }) {
      const log = await open();
      const { epoch, offset } = await log.append(topic, ["1"]);
      equal(offset, 1);
      deepEqual(await log.append(topic, ["2", "3"]), { epoch, offset: 3 });
      deepEqual(await log.append(topic, []), { epoch, offset: 3 });
      const slice = await log.read(topic, { epoch, offset: 1 }, 10);
      deepEqual(slice, { status: "resumed", entries: ["2", "3"], position: { epoch, offset: 3 } });
      equal(firstOffset(slice), 2);
    },
  },
  {
    name: "takes what one caller appends without waiting in the order of the calls",
    async body({ open }) {
      const log = await open();
      const positions = await Promise.all(texts(1, 100).map((text) => log.append(topic, [text])));
      deepEqual(
        positions.map(({ offset }) => String(offset)),
        texts(1, 100),
      );
      deepEqual((await log.last(topic, 100)).entries, texts(1, 100));
    },
  },
  {
    name: "gives several writers offsets of their own, in one order, and keeps what was appended together together",
    chance: true,
    async body({ open, random }) {
      const log = await open();
      const written = new Map<number, string>();
      let epoch = "";
      const write = async (writer: number): Promise<void> => {
        let before = 0;
        for (let batch = 0; batch < 12; batch++) {
          const entries = texts(1, 1 + Math.floor(random() * 4)).map(
            (n) => `${writer}:${batch}:${n}`,
          );
          const position = await log.append(topic, entries);
          const first = firstOffset({ entries, position });
          ok(first > before, "a later append of a writer has later offsets");
          before = position.offset;
          epoch = position.epoch;
          for (const [index, entry] of entries.entries()) {
            ok(!written.has(first + index), `offset ${first + index} was given twice`);
            written.set(first + index, entry);
          }
          if (random() < 0.5) await sleep(random() * 3);
        }
      };
      await Promise.all([1, 2, 3, 4, 5].map(write));
      const { status, entries } = await log.read(topic, { epoch, offset: 0 }, written.size + 1);
      equal(status, "resumed");
      deepEqual(
        entries,
        texts(1, written.size).map((offset) => written.get(Number(offset))),
      );
    },
  },
  {
    name: "reads in pages, until none come",
    async body({ open }) {
      const log = await open();
      let position = await count(log, 25);
      const pages: (readonly string[])[] = [];
      for (;;) {
        const page = await log.read(topic, position, 10);
        equal(page.status, "resumed");
        if (page.entries.length === 0) {
          deepEqual(page.position, position);
          break;
        }
        pages.push(page.entries);
        position = page.position;
      }
      deepEqual(pages, [texts(1, 10), texts(11, 20), texts(21, 25)]);
    },
  },
  {
    name: "gives the last entries, fewer where there are fewer, and where the topic ends",
    async body({ open }) {
      const log = await open();
      const { epoch } = await count(log, 5);
      const position = { epoch, offset: 5 };
      deepEqual(await log.last(topic, 2), { entries: ["4", "5"], position });
      deepEqual(await log.last(topic, 9), { entries: texts(1, 5), position });
      deepEqual(await log.last(topic, 0), { entries: [], position });
    },
  },
  {
    name: "has an empty topic under every name, and each by itself",
    async body({ open }) {
      const log = await open();
      const { entries, position } = await log.last(topic, 10);
      deepEqual([entries, position.offset], [[], 0]);
      deepEqual(await log.append(topic, []), position);
      const other = await log.append("other", ["a"]);
      const first = await log.append(topic, ["1"]);
      deepEqual([other.offset, first.offset], [1, 1]);
      deepEqual((await log.read(topic, position, 10)).entries, ["1"]);
      deepEqual((await log.last("other", 10)).entries, ["a"]);
    },
  },
  {
    name: "resets a reader of another life: another log, a dropped topic, a place that never was",
    async body({ open }) {
      const [log, other] = [await open(), await open()];
      const before = await count(log, 3);
      await count(other, 4);
      const strange = await other.read(topic, before, 2);
      deepEqual([strange.status, strange.entries], ["reset", ["1", "2"]]);
      notEqual(strange.position.epoch, before.epoch);
      deepEqual((await other.read(topic, strange.position, 9)).entries, ["3", "4"]);
      equal((await log.read(topic, { ...before, offset: 3 }, 9)).status, "resumed");
      equal((await log.read(topic, { ...before, offset: 4 }, 9)).status, "reset");
      await log.drop(topic);
      await log.drop("never written");
      equal((await log.read(topic, { ...before, offset: 3 }, 9)).status, "reset");
      deepEqual((await log.last(topic, 9)).entries, []);
      const reborn = await log.append(topic, ["new"]);
      equal(reborn.offset, 1);
      notEqual(reborn.epoch, before.epoch);
      const reset = await log.read(topic, before, 9);
      deepEqual(reset, { status: "reset", entries: ["new"], position: reborn });
    },
  },
  {
    name: "R50: keeps the newest by count, and tells a reader exactly when entries are missing",
    async body({ open }) {
      const log = await open({ count: 10 });
      const { epoch } = await count(log, 25);
      const gap = await log.read(topic, { epoch, offset: 14 }, 4);
      deepEqual(gap, { status: "gap", entries: texts(16, 19), position: { epoch, offset: 19 } });
      const resumed = await log.read(topic, { epoch, offset: 15 }, 100);
      deepEqual([resumed.status, resumed.entries], ["resumed", texts(16, 25)]);
      await log.append(topic, texts(26, 60));
      deepEqual((await log.last(topic, 100)).entries, texts(51, 60));
    },
  },
  {
    name: "R50: keeps the newest by bytes",
    async body({ open }) {
      const log = await open({ bytes: 10_000 });
      const line = (n: number): string => String(n).padStart(1_000, "0");
      const { epoch } = await log.append(topic, [line(1)]);
      for (let n = 2; n <= 30; n++) await log.append(topic, [line(n)]);
      const { status, entries } = await log.read(topic, { epoch, offset: 0 }, 100);
      equal(status, "gap");
      ok(entries.length >= 1 && entries.length <= 10, `${entries.length} of 10 entries are kept`);
      equal(entries.at(-1), line(30));
    },
  },
  {
    name: "R50: lets go what is older than `ageMs`, and goes on with the offsets or begins a new life",
    async body({ open }) {
      const log = await open({ ageMs: 200 });
      const { epoch } = await count(log, 3);
      await sleep(201);
      deepEqual((await log.last(topic, 9)).entries, []);
      const { status, entries } = await log.read(topic, { epoch, offset: 0 }, 9);
      notEqual(status, "resumed");
      deepEqual(entries, []);
      const next = await log.append(topic, ["4"]);
      equal(next.offset, next.epoch === epoch ? 4 : 1);
    },
  },
  {
    name: "holds 100,000 appends in flat memory, and a live tail hears them all",
    async body({ open }) {
      const log = await open({ count: 1_000 });
      let heard = 0;
      using _tail = log.tail(topic, { last: 0 }, ({ entries }) => (heard += entries.length));
      const line = (n: number): string => Buffer.alloc(500, n % 251).toString("hex");
      const thousands = async (from: number, to: number): Promise<void> => {
        for (let thousand = from; thousand < to; thousand++) {
          const lines = Array.from({ length: 1_000 }, (_, n) => log.append(topic, [line(n)]));
          await Promise.all(lines);
          while (heard < (thousand + 1) * 1_000) await sleep(1);
        }
      };
      await thousands(0, 10);
      const before = heap();
      await thousands(10, 100);
      const grown = (heap() - before) / 2 ** 20;
      ok(grown < 8, `90 MB went through and ${grown.toFixed(1)} MiB stayed`);
      equal(heard, 100_000);
      equal((await log.last(topic, 2_000)).entries.length, 1_000);
    },
  },
  {
    name: "refuses what is malformed, and changes nothing",
    async body({ open }) {
      const log = await open();
      const { epoch } = await count(log, 1);
      for (const name of ["", undefined as never, 7 as never]) {
        await rejects(log.append(name, ["2"]), invalid);
        await rejects(log.read(name, { epoch, offset: 0 }, 1), invalid);
        await rejects(log.last(name, 1), invalid);
        await rejects(log.drop(name), invalid);
        throws(() => log.tail(name, { last: 0 }, () => {}), invalid);
      }
      await rejects(log.append(topic, "2" as never), invalid);
      await rejects(log.append(topic, ["2", undefined as never]), invalid);
      for (const offset of [-1, 0.5, NaN, 2 ** 53, "1" as never]) {
        await rejects(log.read(topic, { epoch, offset }, 1), invalid);
        throws(() => log.tail(topic, { after: { epoch, offset } }, () => {}), invalid);
        throws(() => log.tail(topic, { last: offset }, () => {}), invalid);
        await rejects(log.last(topic, offset), invalid);
        await rejects(log.read(topic, { epoch, offset: 0 }, offset), invalid);
      }
      await rejects(log.read(topic, { epoch: 1, offset: 0 } as never, 1), invalid);
      await rejects(log.read(topic, null as never, 1), invalid);
      throws(() => log.tail(topic, undefined as never, () => {}), invalid);
      throws(() => log.tail(topic, { last: 0 }, undefined as never), invalid);
      deepEqual((await log.last(topic, 9)).position, { epoch, offset: 1 });
      for (const bounds of [{ count: 0 }, { bytes: -1 }, { ageMs: NaN }, { count: 1.5 }])
        await rejects(open(bounds), invalid);
    },
  },
];
