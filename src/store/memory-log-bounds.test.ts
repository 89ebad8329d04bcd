import { describe, expect, it } from "vitest";
import { sleep } from "../process/index.ts";
import { simulate } from "../testing/index.ts";
import type { Position } from "./log.ts";
import { MemoryLog } from "./memory-log.ts";

const ignore = (): void => {};
const invalid = expect.objectContaining({ code: "SLUICE_INVALID_OPTION" }) as Error;

/** How a reader at a place finds its topic. */
const status = async (log: MemoryLog<string>, topic: string, at: Position): Promise<string> =>
  (await log.read(topic, at, 10)).status;

describe("what a MemoryLog keeps", () => {
  it("is bounded by nothing that it does not know", () => {
    expect(() => new MemoryLog({ cuont: 5 } as object)).toThrow(
      "MemoryLog: cuont: got 5, expected",
    );
  });

  it("is 1,000 entries and 1 MiB a topic, of any age, when nothing is said", async () => {
    const log = new MemoryLog<string>();
    await log.append("many", Array.from({ length: 1_001 }, String));
    expect((await log.last("many", 2_000)).entries).toHaveLength(1_000);
    await log.append("large", ["a".repeat(2 ** 19), "b".repeat(2 ** 19)]);
    expect((await log.last("large", 9)).entries).toHaveLength(2);
    await log.append("large", ["c"]);
    expect((await log.last("large", 9)).entries).toHaveLength(2);
  });

  it("is measured by the JSON text, or by `bytesOf`", async () => {
    const log = new MemoryLog<object>({ bytes: 15 });
    await log.append("t", [{ a: 1 }, { b: 2 }, { c: 3 }]);
    expect((await log.last("t", 9)).entries).toEqual([{ b: 2 }, { c: 3 }]);
    const measured = new MemoryLog<{ size: number }>({ bytes: 10, bytesOf: ({ size }) => size });
    await measured.append("t", [{ size: 5 }, { size: 5 }, { size: 1 }]);
    expect((await measured.last("t", 9)).entries).toEqual([{ size: 5 }, { size: 1 }]);
  });

  it("is nothing of an append with an entry that has no measure", async () => {
    const circle: { self?: object } = {};
    circle.self = circle;
    const log = new MemoryLog<unknown>();
    for (const entry of [undefined, 1n, ignore, circle])
      await expect(log.append("t", ["fine", entry])).rejects.toThrow(invalid);
    const measured = new MemoryLog<number>({ bytesOf: (entry) => entry });
    await expect(measured.append("t", [1, NaN])).rejects.toThrow(invalid);
    expect((await log.last("t", 9)).entries).toEqual([]);
    expect((await measured.last("t", 9)).entries).toEqual([]);
  });

  it("ages in the time of its system", async () => {
    await simulate(
      async () => {
        const log = new MemoryLog<string>({ ageMs: 1_000 });
        const { epoch } = await log.append("t", ["a"]);
        await sleep(400);
        await log.append("t", ["b"]);
        await sleep(599);
        expect((await log.last("t", 9)).entries).toEqual(["a", "b"]);
        await sleep(1);
        expect((await log.last("t", 9)).entries).toEqual(["b"]);
        expect(await status(log, "t", { epoch, offset: 0 })).toBe("gap");
        expect(await status(log, "t", { epoch, offset: 1 })).toBe("resumed");
      },
      { seeds: 1 },
    );
  });
});

describe("the topics of a MemoryLog", () => {
  it("are forgotten when all of them is too old and nobody tails them, as something is appended", async () => {
    await simulate(
      async () => {
        const log = new MemoryLog<string>({ ageMs: 1_000 });
        const [old, tailed] = [await log.append("old", ["a"]), await log.append("tailed", ["a"])];
        const tail = log.tail("tailed", { last: 0 }, ignore);
        await sleep(999);
        const young = await log.append("young", ["a"]);
        await sleep(1);
        expect(await status(log, "old", old)).toBe("resumed");
        await log.append("other", ["a"]);
        expect(await status(log, "old", old)).toBe("reset");
        expect(await status(log, "young", young)).toBe("resumed");
        expect(await status(log, "tailed", tailed)).toBe("resumed");
        tail[Symbol.dispose]();
        await sleep(999);
        await log.append("other", ["b"]);
        expect(await status(log, "tailed", tailed)).toBe("resumed");
        await sleep(1);
        await log.append("other", ["c"]);
        expect(await status(log, "tailed", tailed)).toBe("reset");
      },
      { seeds: 1 },
    );
  });

  it("are forgotten when they are too many and nobody tails them, the longest untouched first", async () => {
    const log = new MemoryLog<string>({ maxTopics: 2 });
    const at = new Map<string, Position>();
    const write = async (topic: string): Promise<unknown> =>
      at.set(topic, await log.append(topic, ["x"]));
    const found = async (): Promise<string[]> => {
      const known: string[] = [];
      for (const [topic, position] of at)
        if ((await status(log, topic, position)) === "resumed") known.push(topic);
      return known;
    };
    for (const topic of ["tailed", "a", "b"]) await write(topic);
    const [tail, second] = [1, 2].map(() => log.tail("tailed", { last: 0 }, ignore));
    expect(await found()).toEqual(["a", "b"]);
    await write("tailed");
    await write("a");
    await write("c");
    expect(await found()).toEqual(["tailed", "a", "c"]);
    tail?.[Symbol.dispose]();
    expect(await found()).toEqual(["tailed", "a", "c"]);
    second?.[Symbol.dispose]();
    second?.[Symbol.dispose]();
    expect(await found()).toEqual(["tailed", "c"]);
    await write("d");
    await write("e");
    expect(await found()).toEqual(["d", "e"]);
  });

  it("cost nothing that were never written, however many are read, tailed and left", async () => {
    const log = new MemoryLog<string>({ maxTopics: 1 });
    const kept = await log.append("kept", ["a"]);
    for (let n = 0; n < 1_000; n++) {
      await log.read(`read/${n}`, kept, 1);
      await log.last(`last/${n}`, 1);
      await log.append(`none/${n}`, []);
      log.tail(`tailed/${n}`, { last: 0 }, ignore)[Symbol.dispose]();
    }
    expect(await status(log, "kept", kept)).toBe("resumed");
  });

  it("have lives whose names follow from the seed", async () => {
    const epochs: string[] = [];
    await simulate(
      async () => void epochs.push((await new MemoryLog<string>().append("t", ["a"])).epoch),
      { seeds: [1, 2, 1] },
    );
    expect(new Set(epochs).size).toBe(2);
    expect(epochs[0]).toBe(epochs[2]);
    for (const epoch of epochs) expect(epoch).toMatch(/^[0-9a-v]{15}$/);
  });
});
