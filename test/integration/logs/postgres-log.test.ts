import { expect, it } from "vitest";
import { postgresLog } from "sluice/postgres";
import { attach } from "sluice/telemetry";
import { logSuite } from "sluice/testing";
import { describeOn } from "../../support/servers/on-server.ts";
import { outages } from "./outages.ts";

let opened = 0;

describeOn(
  "postgres",
  "postgresLog",
  (server) => {
    const open = (bounds: object) =>
      postgresLog<string>({
        connectionString: server().url,
        prefix: `suite_${++opened}`,
        ...bounds,
      });

    // Before all else here: Node tells of it once.
    it("asks a session one thing at a time, which is all that `pg` takes from its version 9 on", async () => {
      const warnings: string[] = [];
      const warned = ({ message }: Error): void => void warnings.push(message);
      process.on("warning", warned);
      await using log = open({});
      const heard = async (topic: string): Promise<string> => {
        const { promise, resolve } = Promise.withResolvers<string>();
        using _tail = log.tail(topic, { last: 1 }, ({ entries }) => {
          if (entries.length > 0) resolve(entries[0]!);
        });
        await log.append(topic, [topic]);
        return await promise;
      };
      expect(await heard("a")).toBe("a");
      const others = ["b", "c", "d", "e"];
      expect(await Promise.all(others.map(heard))).toEqual(others);
      process.off("warning", warned);
      expect(warnings).toEqual([]);
    });

    it.each(logSuite({ open }))("$name", { timeout: 120_000 }, async ({ run }) => {
      await expect(run()).resolves.toBeUndefined();
    });

    it("forgets topics beyond `maxTopics`, those that were not written for the longest", async () => {
      await using log = open({ maxTopics: 3 });
      const first = await log.append("1", ["a"]);
      for (const topic of ["2", "3", "4"]) await log.append(topic, ["a"]);
      const { status, entries } = await log.read("1", { ...first, offset: 0 }, 10);
      expect([status, entries]).toEqual(["reset", []]);
      expect((await log.last("2", 10)).entries).toEqual(["a"]);
      expect((await log.append("1", ["b"])).epoch).not.toBe(first.epoch);
    });

    it("keeps any text, and any topic", async () => {
      await using log = open({});
      const texts = ["\0", "\ud800", "'; DROP TABLE x; --", "{,}", '"\\', "ü", ""];
      for (const topic of ["a\0b", "a\\0b", "'", '"', "x".repeat(5_000)]) {
        await log.append(topic, texts);
        expect((await log.last(topic, 10)).entries).toEqual(texts);
      }
    });

    it("is made once when several nodes begin at once", async () => {
      const prefix = `suite_${++opened}`;
      const nodes = Array.from({ length: 5 }, () =>
        postgresLog<string>({ connectionString: server().url, prefix }),
      );
      const ends = await Promise.all(nodes.map((node, n) => node.append("lines", [`${n}`])));
      expect(ends.map(({ offset }) => offset).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5]);
      expect(new Set(ends.map(({ epoch }) => epoch)).size).toBe(1);
      await Promise.all(nodes.map((node) => node.close()));
    });

    const on = (options: object) =>
      postgresLog<string>({ connectionString: server().url, prefix: "outages", ...options });
    outages(server, "Postgres", on, true);
  },
  { args: ["-c", "fsync=on"] },
);

describeOn("postgres", "postgresLog with `fsync=off`", (server) => {
  outages(
    server,
    "Postgres, fsync=off",
    (options) => postgresLog({ connectionString: server().url, ...options }),
    false,
  );

  it("warns", async () => {
    const logs: [string, string][] = [];
    using _logs = attach("sluice.log", ({ level, message }) => logs.push([level, message]));
    await using log = postgresLog<string>({ connectionString: server().url });
    await log.append("lines", ["1"]);
    expect(logs).toContainEqual(["warning", expect.stringContaining("`fsync=off`")]);
  });
});
