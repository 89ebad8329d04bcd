import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { SluiceError } from "sluice";
import { attach } from "sluice/telemetry";
import { firstOffset, type Log, type Position, type Read } from "sluice/store";
import type { TheServer } from "../../support/servers/on-server.ts";
import { score } from "../../scoreboard.ts";
import { until } from "../support/clients.ts";

/** A log of a test, on the server of the test. */
type Open = (options: { readonly timeoutMs: number; readonly count?: number }) => ServerLog;
type ServerLog = Log<string> & AsyncDisposable;

/** What one tail heard, checked as it comes: `resumed` follows on what came before, a `gap` goes on in the same life. */
class Witness {
  readonly reads: Read<string>[] = [];
  readonly #at: Map<string, string> = new Map();
  readonly #broken: string[] = [];

  readonly listen = (read: Read<string>): void => {
    const before = this.reads.at(-1)?.position;
    const first = firstOffset(read);
    if (before !== undefined) {
      const same = before.epoch === read.position.epoch;
      const told = JSON.stringify([before, read.status, first, read.position]);
      if (read.status === "resumed" && !(same && first === before.offset + 1))
        this.#broken.push(told);
      if (read.status === "gap" && !(same && first > before.offset + 1)) this.#broken.push(told);
      if (read.status === "reset" && same) this.#broken.push(told);
    }
    this.reads.push(read);
    for (const [index, entry] of read.entries.entries())
      this.#at.set(`${read.position.epoch} ${first + index}`, entry);
  };

  get resets(): number {
    return this.reads.filter(({ status }) => status !== "resumed").length;
  }

  get entries(): string[] {
    expect(this.#broken).toEqual([]);
    return this.reads.flatMap(({ entries }) => entries);
  }

  get end(): Position | undefined {
    return this.reads.at(-1)?.position;
  }

  /** What stood at a place, as far as it heard. */
  at({ epoch, offset }: Position): string | undefined {
    return this.#at.get(`${epoch} ${offset}`);
  }
}

/** What whoever runs the program is told of the server. */
class Told implements Disposable {
  readonly #logs: (readonly [string, string])[] = [];
  readonly #attached: Disposable = attach("sluice.log", ({ level, message }) =>
    this.#logs.push([level, message]),
  );

  of(wanted: string): string[] {
    return this.#logs.flatMap(([level, message]) => (level === wanted ? [message] : []));
  }

  [Symbol.dispose](): void {
    this.#attached[Symbol.dispose]();
  }
}

/** Appends until it is told to end; what was acknowledged, with its place, and how often it was not. */
class Load {
  readonly acked: (readonly [string, Position])[] = [];
  failures = 0;
  readonly #done: Promise<void>;
  #on = true;

  constructor(log: ServerLog, topic: string, name: string) {
    this.#done = this.#run(log, topic, name);
  }

  async end(): Promise<void> {
    this.#on = false;
    await this.#done;
  }

  async #run(log: ServerLog, topic: string, name: string): Promise<void> {
    let n = 0;
    while (this.#on) {
      n++;
      const entry = `${name}:${n}`;
      try {
        this.acked.push([entry, await log.append(topic, [entry])]);
      } catch (error) {
        if (
          !SluiceError.is(error, "SLUICE_TIMEOUT") &&
          !SluiceError.is(error, "SLUICE_STORE_FAILED")
        )
          throw error;
        this.failures++;
        await sleep(5);
      }
      await sleep(1);
    }
  }
}

/** What every log on a server does when there are two nodes, and when the server goes. */
export function outages(server: TheServer, title: string, open: Open, goesOn: boolean): void {
  it("gives two nodes one order, and each hears both", async () => {
    const topic = "order";
    await using one = open({ timeoutMs: 5_000 });
    await using two = open({ timeoutMs: 5_000 });
    const witnesses = [one, two].map((log) => {
      const witness = new Witness();
      log.tail(topic, { last: 0 }, witness.listen);
      return witness;
    });
    await until(() => witnesses.every(({ reads }) => reads.length === 1));
    const appends = Array.from({ length: 200 }, (_, n) =>
      (n % 2 === 0 ? one : two).append(topic, [`${n}a`, `${n}b`]),
    );
    const ends = await Promise.all(appends);
    await until(() => witnesses.every(({ entries }) => entries.length === 400));
    expect(witnesses[1]?.entries).toEqual(witnesses[0]?.entries);
    const offsets = ends.map(({ offset }) => offset).toSorted((a, b) => a - b);
    expect(offsets).toEqual(Array.from({ length: 200 }, (_, n) => 2 * n + 2));
    for (const [n, end] of ends.entries()) {
      expect(witnesses[0]?.at(end)).toBe(`${n}b`);
      expect(witnesses[0]?.at({ ...end, offset: end.offset - 1 })).toBe(`${n}a`);
    }
  });

  it("R52: the server is killed twice under load: what was acknowledged is there, or tails hear of it", async () => {
    const topic = "killed";
    using told = new Told();
    await using one = open({ timeoutMs: 1_000, count: 100_000 });
    await using two = open({ timeoutMs: 1_000, count: 100_000 });
    const witnesses = [one, two].map((log) => {
      const witness = new Witness();
      log.tail(topic, { last: 0 }, witness.listen);
      return witness;
    });
    await until(() => witnesses.every(({ reads }) => reads.length === 1));
    const loads = [new Load(one, topic, "one"), new Load(two, topic, "two")];
    for (let kills = 1; kills <= 2; kills++) {
      const before = loads.map(({ acked }) => acked.length);
      await until(() => loads.every(({ acked }, n) => acked.length >= before[n]! + 50));
      await server().kill();
      const failures = loads.map((load) => load.failures);
      await until(() => loads.every((load, n) => load.failures > failures[n]!));
      await server().start();
    }
    const after = loads.map(({ acked }) => acked.length);
    await until(() => loads.every(({ acked }, n) => acked.length >= after[n]! + 50), 20_000);
    await Promise.all(loads.map((load) => load.end()));
    const { entries, position } = await one.last(topic, 100_000);
    await until(() => witnesses.every(({ end }) => end?.offset === position.offset));
    const start = firstOffset({ entries, position });
    let lost = 0;
    for (const [entry, place] of loads.flatMap(({ acked }) => acked)) {
      // What was acknowledged never stands elsewhere in its life, for whoever heard it.
      for (const witness of witnesses) expect([entry, undefined]).toContain(witness.at(place));
      if (place.epoch === position.epoch) expect(entries[place.offset - start]).toBe(entry);
      if (!entries.includes(entry)) lost++;
    }
    const resets = witnesses.map((witness) => witness.resets);
    for (const witness of witnesses) expect(witness.end).toEqual(position);
    if (goesOn) {
      expect([lost, resets]).toEqual([0, [0, 0]]);
      expect(witnesses[0]?.entries).toEqual(entries);
      expect(witnesses[1]?.entries).toEqual(entries);
    } else for (const count of resets) expect(count).toBeGreaterThan(0);
    expect(new Set(entries).size).toBe(entries.length);
    expect(told.of("warning").length).toBeGreaterThan(0);
    expect(told.of("info").length).toBeGreaterThan(0);
    const acked = loads.flatMap((load) => load.acked).length;
    const failed = loads.reduce((sum, { failures }) => sum + failures, 0);
    const figure = `${acked} acknowledged, ${failed} refused, lost ${lost}, doubled 0, told ${resets.join(" and ")} times`;
    score("R52", `a log whose server is killed twice, ${title}`, figure);
  });

  it("rejects within its time while the server does not answer, and then goes on", async () => {
    const topic = "paused";
    using told = new Told();
    await using log = open({ timeoutMs: 500 });
    const witness = new Witness();
    log.tail(topic, { last: 0 }, witness.listen);
    const { epoch } = await log.append(topic, ["before"]);
    server().pause();
    const began = performance.now();
    const calls: Promise<unknown>[] = Array.from({ length: 20 }, (_, n) =>
      log.append(topic, [`${n}`]),
    );
    calls.push(log.read(topic, { epoch, offset: 0 }, 10), log.last(topic, 1), log.drop("other"));
    const settled = await Promise.allSettled(calls);
    const ms = performance.now() - began;
    server().resume();
    const reasons = settled.map((result): unknown => "reason" in result && result.reason);
    expect(reasons).toContainEqual(expect.objectContaining({ code: "SLUICE_TIMEOUT" }));
    // A connection that is given up takes with it what else was on it.
    const codes = /^SLUICE_(TIMEOUT|STORE_FAILED)$/;
    for (const result of settled)
      expect(result).toMatchObject({
        status: "rejected",
        reason: { code: expect.stringMatching(codes) as unknown },
      });
    expect(ms).toBeGreaterThanOrEqual(495);
    expect(ms).toBeLessThan(2_000);
    let after: Position | undefined;
    while (after === undefined) after = await log.append(topic, ["after"]).catch(() => undefined);
    const { entries } = await log.last(topic, 100);
    // The batch that was on its way stands in it as a whole or not at all; what waited behind it does not.
    const between = entries.slice(entries.indexOf("before") + 1, entries.lastIndexOf("after"));
    expect([0, 20]).toContain(between.filter((entry) => entry !== "after").length);
    await until(() => witness.end?.offset === after?.offset && witness.end?.epoch === after?.epoch);
    expect(witness.resets).toBe(0);
    expect(witness.entries).toEqual(entries);
    expect(told.of("error")).toEqual([]);
  });

  it("refuses what does not fit, and every call once it is closed", async () => {
    const topic = "closed";
    const log = open({ timeoutMs: 5_000 });
    await expect(log.append(topic, ["x".repeat(2 ** 20)])).rejects.toMatchObject({
      code: "SLUICE_INVALID_OPTION",
    });
    const appended = log.append(topic, ["last words"]);
    await log[Symbol.asyncDispose]();
    expect((await appended).offset).toBeGreaterThan(0);
    const closed = { code: "SLUICE_STORE_FAILED" };
    await expect(log.append(topic, ["late"])).rejects.toMatchObject(closed);
    await expect(log.last(topic, 1)).rejects.toMatchObject(closed);
    expect(() => log.tail(topic, { last: 0 }, () => {})).toThrow(/closed/);
  });
}
