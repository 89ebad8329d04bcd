import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import { attach } from "../telemetry/index.ts";
import { sleep } from "../process/index.ts";
import { firstOffset, type Position, type Read } from "../store/index.ts";
import { count, texts } from "./log-cases.ts";
import type { LogBench, LogCase } from "./log-suite.ts";

const topic = "lines";

/** A listener that remembers, and refuses reads that do not follow each other. */
class Heard {
  readonly reads: Read<string>[] = [];
  readonly entries: string[] = [];
  #broken: Error | undefined = undefined;
  #wanted: { readonly holds: () => boolean; readonly resolve: () => void } | undefined = undefined;

  readonly listen = (read: Read<string>): void => {
    const before = this.reads.at(-1)?.position;
    const follows =
      before?.epoch === read.position.epoch && before.offset + 1 === firstOffset(read);
    if (before !== undefined && read.status === "resumed" && !follows)
      this.#broken ??= new Error(`${JSON.stringify(read)} came behind ${JSON.stringify(before)}`);
    if (before !== undefined && read.status === "resumed" && read.entries.length === 0)
      this.#broken ??= new Error(`nothing came behind ${JSON.stringify(before)}`);
    this.reads.push(read);
    this.entries.push(...read.entries);
    if (this.#wanted?.holds() === true) this.#wanted.resolve();
  };

  /** Resolves in or after the call that makes it true. */
  async until(holds: () => boolean): Promise<void> {
    if (!holds()) await new Promise<void>((resolve) => (this.#wanted = { holds, resolve }));
    if (this.#broken !== undefined) throw this.#broken;
  }

  /** Exactly these entries, in this order. */
  async equals(entries: readonly string[]): Promise<void> {
    await this.until(() => this.entries.length >= entries.length);
    deepEqual(this.entries, entries);
  }
}

/** Appends the numbers from `first` to `last`, in batches, now waiting and now not. */
async function write(
  log: Awaited<ReturnType<LogBench["open"]>>,
  [first, last]: readonly [number, number],
  random: () => number,
): Promise<void> {
  const appends: Promise<Position>[] = [];
  for (let next = first; next <= last;) {
    const end = Math.min(last, next + Math.floor(random() * 4));
    appends.push(log.append(topic, texts(next, end)));
    next = end + 1;
    if (random() < 0.3) await sleep(random() * 3);
  }
  await Promise.all(appends);
}

/** How history and live entries join. */
export const logTailCases: readonly LogCase[] = [
  {
    name: "tells a tail first what there is, and then what comes",
    async body({ open }) {
      const log = await open();
      const none = new Heard();
      using _none = log.tail(topic, { last: 5 }, none.listen);
      await none.until(() => none.reads.length === 1);
      deepEqual(
        [none.reads[0]?.status, none.entries, none.reads[0]?.position.offset],
        ["resumed", [], 0],
      );
      await log.append(topic, []);
      const { epoch } = await count(log, 4);
      const [now, two] = [new Heard(), new Heard()];
      using _now = log.tail(topic, { last: 0 }, now.listen);
      using _two = log.tail(topic, { last: 2 }, two.listen);
      await log.append(topic, ["5", "6"]);
      await now.equals(["5", "6"]);
      await two.equals(texts(3, 6));
      await none.equals(texts(1, 6));
      deepEqual(now.reads[0], { status: "resumed", entries: [], position: { epoch, offset: 4 } });
      for (const { reads } of [none, now, two])
        deepEqual(reads.at(-1)?.position, { epoch, offset: 6 });
    },
  },
  {
    name: "R50: goes on behind a place, or says that entries are missing, or that it was another life",
    async body({ open, keep }) {
      const log = await open({ count: 10 });
      const { epoch } = await count(log, 20);
      const places: readonly [Position, Read<string>["status"], number][] = [
        [{ epoch, offset: 20 }, "resumed", 21],
        [{ epoch, offset: 10 }, "resumed", 11],
        [{ epoch, offset: 9 }, "gap", 11],
        [{ epoch, offset: 21 }, "reset", 11],
        [{ epoch: "another", offset: 20 }, "reset", 11],
      ];
      const heard = places.map(([after]) => {
        const one = new Heard();
        keep(log.tail(topic, { after }, one.listen));
        return one;
      });
      await log.append(topic, ["21"]);
      for (const [index, [, status, first]] of places.entries()) {
        await heard[index]?.equals(texts(first, 21));
        equal(heard[index]?.reads[0]?.status, status);
        ok(heard[index]?.reads.slice(1).every((read) => read.status === "resumed"));
      }
    },
  },
  {
    name: "joins history and live entries with neither hole nor double, whatever is appended meanwhile",
    chance: true,
    async body({ open, random, keep }) {
      const log = await open();
      const { epoch } = await log.append(topic, texts(1, 20));
      const begin = async (): Promise<void> => {
        await sleep(random() * 30);
        const [some, all] = [new Heard(), new Heard()];
        keep(log.tail(topic, { last: Math.floor(random() * 30) }, some.listen));
        const offset = Math.floor(random() * 20);
        keep(log.tail(topic, { after: { epoch, offset } }, all.listen));
        await all.equals(texts(offset + 1, 120));
        await some.until(() => some.reads.at(-1)?.position.offset === 120);
        deepEqual(some.entries, texts(121 - some.entries.length, 120));
      };
      await Promise.all([write(log, [21, 120], random), ...texts(1, 8).map(begin)]);
    },
  },
  {
    name: "lets a reader beside a tail take what it missed, and then what the tail hears: neither hole nor double",
    chance: true,
    async body({ open, random }) {
      const log = await open();
      const { epoch } = await log.append(topic, texts(1, 20));
      const joined = new Set<(entry: string, offset: number) => void>();
      using _tail = log.tail(topic, { last: 0 }, (read) => {
        for (const [index, entry] of read.entries.entries())
          for (const hear of joined) hear(entry, firstOffset(read) + index);
      });
      const join = async (): Promise<void> => {
        await sleep(random() * 30);
        const got: string[] = [];
        let end: (() => void) | undefined;
        const complete = new Promise<void>((resolve) => (end = resolve));
        const held: [string, number][] = [];
        const replayed = { offset: 0 };
        let holds = true;
        const take = (entry: string, offset: number): void => {
          if (offset <= replayed.offset) return;
          got.push(entry);
          if (entry === "120") end?.();
        };
        const hear = (entry: string, offset: number): void =>
          void (holds ? held.push([entry, offset]) : take(entry, offset));
        joined.add(hear);
        const since = Math.floor(random() * 20);
        const { status, entries, position } = await log.read(
          topic,
          { epoch, offset: since },
          1_000,
        );
        equal(status, "resumed");
        for (const [index, entry] of entries.entries()) take(entry, since + 1 + index);
        replayed.offset = position.offset;
        holds = false;
        for (const [entry, offset] of held) take(entry, offset);
        await complete;
        joined.delete(hear);
        deepEqual(got, texts(since + 1, 120));
      };
      await Promise.all([write(log, [21, 120], random), ...texts(1, 8).map(join)]);
    },
  },
  {
    name: "never calls a listener inside of append or tail",
    async body({ open }) {
      const log = await open();
      const heard = new Heard();
      using _tail = log.tail(topic, { last: 9 }, heard.listen);
      equal(heard.reads.length, 0);
      await heard.until(() => heard.reads.length === 1);
      const appended = log.append(topic, ["1"]);
      equal(heard.reads.length, 1);
      await appended;
      await heard.equals(["1"]);
    },
  },
  {
    name: "keeps the order for all when a listener appends",
    async body({ open }) {
      const log = await open();
      const [before, after] = [new Heard(), new Heard()];
      const appends: Promise<Position>[] = [];
      using _before = log.tail(topic, { last: 0 }, before.listen);
      using _echo = log.tail(topic, { last: 0 }, ({ entries }) => {
        for (const entry of entries)
          if (Number(entry) < 5) appends.push(log.append(topic, [String(Number(entry) + 1)]));
      });
      using _after = log.tail(topic, { last: 0 }, after.listen);
      await log.append(topic, ["1"]);
      await before.equals(texts(1, 5));
      await after.equals(texts(1, 5));
      await Promise.all(appends);
    },
  },
  {
    name: "hears entries that the bounds do not keep",
    async body({ open }) {
      const log = await open({ count: 2 });
      const heard = new Heard();
      using _tail = log.tail(topic, { last: 0 }, heard.listen);
      await log.append(topic, texts(1, 10));
      await Promise.all(texts(11, 20).map((text) => log.append(topic, [text])));
      await heard.equals(texts(1, 20));
      ok(heard.reads.every(({ status }) => status === "resumed"));
    },
  },
  {
    name: "tells a tail of a new life, and goes on with it",
    async body({ open }) {
      const log = await open();
      const { epoch } = await count(log, 3);
      const heard = new Heard();
      using _tail = log.tail(topic, { last: 9 }, heard.listen);
      await heard.equals(texts(1, 3));
      await log.drop(topic);
      const position = await log.append(topic, ["new"]);
      await heard.equals(["1", "2", "3", "new"]);
      notEqual(position.epoch, epoch);
      deepEqual(heard.reads.at(-1)?.position, position);
      equal(heard.reads.filter(({ status }) => status === "reset").length, 1);
    },
  },
  {
    name: "ends the tail of a listener that throws, reports it, and hurts no other",
    async body({ open }) {
      const log = await open();
      const reports: unknown[] = [];
      using _reports = attach("sluice.log", ({ level, details }) => {
        if (level === "error") reports.push(details);
      });
      const [before, after] = [new Heard(), new Heard()];
      const broken = new Error("a listener is broken");
      let calls = 0;
      using _before = log.tail(topic, { last: 0 }, before.listen);
      using _broken = log.tail(topic, { last: 0 }, ({ entries }) => {
        if (entries.length === 0) return;
        calls++;
        throw broken;
      });
      using _after = log.tail(topic, { last: 0 }, after.listen);
      await Promise.all(texts(1, 3).map((text) => log.append(topic, [text])));
      await log.append(topic, ["4"]);
      await before.equals(texts(1, 4));
      await after.equals(texts(1, 4));
      deepEqual([calls, reports], [1, [broken]]);
    },
  },
  {
    name: "does not call what was disposed, in a delivery or before the first, and others go on",
    async body({ open, keep }) {
      const log = await open();
      const [never, other, late] = [new Heard(), new Heard(), new Heard()];
      log.tail(topic, { last: 9 }, never.listen)[Symbol.dispose]();
      const own: string[] = [];
      const leaving: Disposable = log.tail(topic, { last: 0 }, ({ entries }) => {
        own.push(...entries);
        if (!own.includes("2")) return;
        leaving[Symbol.dispose]();
        leaving[Symbol.dispose]();
        keep(log.tail(topic, { last: 0 }, late.listen));
      });
      keep(log.tail(topic, { last: 0 }, other.listen));
      await log.append(topic, ["1"]);
      await log.append(topic, ["2"]);
      await other.equals(["1", "2"]);
      await late.until(() => late.reads.length === 1);
      await Promise.all(texts(3, 5).map((text) => log.append(topic, [text])));
      await other.equals(texts(1, 5));
      await late.equals(texts(3, 5));
      deepEqual([never.reads, own], [[], ["1", "2"]]);
    },
  },
  {
    name: "R56: hears a topic whose last tail ended in that moment",
    async body({ open, keep }) {
      const log = await open();
      let heard = new Heard();
      let tail = log.tail(topic, { last: 0 }, heard.listen);
      for (let round = 1; round <= 10; round++) {
        await heard.until(() => heard.reads.length > 0);
        tail[Symbol.dispose]();
        heard = new Heard();
        tail = log.tail(topic, { last: 0 }, heard.listen);
        await heard.until(() => heard.reads.length > 0);
        await log.append(topic, [String(round)]);
        await heard.equals([String(round)]);
      }
      keep(tail);
    },
  },
];
