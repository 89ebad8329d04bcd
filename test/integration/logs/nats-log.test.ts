import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { expect, it } from "vitest";
import { natsLog } from "sluice/nats";
import { logSuite } from "sluice/testing";
import { describeOn } from "../../support/servers/on-server.ts";
import type { Read } from "sluice/store";
import { attach } from "sluice/telemetry";
import { until } from "../support/clients.ts";
import { HeldLine } from "./held-line.ts";
import { outages } from "./outages.ts";

let opened = 0;

describeOn("nats", "natsLog", (server) => {
  const open = (bounds: object) =>
    natsLog<string>({
      servers: server().url,
      prefix: `suite-${++opened}`,
      maxBytes: 2 ** 28,
      ...bounds,
    });

  it.each(logSuite({ open }))("$name", { timeout: 120_000 }, async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });

  it.each(["purge", "delete"] as const)(
    "begins new lives when somebody does a %s of its stream",
    async (what) => {
      using _logs = attach("sluice.log", () => {});
      await using log = open({ prefix: what, timeoutMs: 2_000 });
      const before = await log.append("lines", ["1", "2"]);
      const reads: Read<string>[] = [];
      log.tail("lines", { last: 9 }, (read) => reads.push(read));
      await until(() => reads.length === 1);
      await using connection = await connect({ servers: server().url });
      const { streams } = await jetstreamManager(connection);
      await (what === "purge" ? streams.purge("purge_log") : streams.delete("delete_log"));
      let after = before;
      while (after === before)
        after = await log.append("lines", ["3", "4", "5"]).catch(() => before);
      expect([after.offset, after.epoch === before.epoch]).toEqual([3, false]);
      expect(await log.read("lines", before, 9)).toEqual({
        status: "reset",
        entries: ["3", "4", "5"],
        position: after,
      });
      await until(() => reads.at(-1)?.position.epoch === after.epoch);
      expect(reads.some(({ status }) => status === "reset")).toBe(true);
      expect(reads.at(-1)?.position).toEqual(after);
    },
  );

  it("refuses appends when its stream is full, and forgets nothing for them", async () => {
    await using log = open({ maxBytes: 100_000 });
    const first = await log.append("first", ["1"]);
    const line = "x".repeat(10_000);
    const fill = async (): Promise<void> => {
      for (let n = 0; n < 20; n++) await log.append("lines", [line]);
    };
    await expect(fill()).rejects.toMatchObject({
      code: "SLUICE_STORE_FAILED",
      message: expect.stringContaining("maximum bytes exceeded") as unknown,
    });
    expect(await log.last("first", 1)).toEqual({ entries: ["1"], position: first });
  });

  it("warns of a stream in memory", async () => {
    const logs: [string, string][] = [];
    using _logs = attach("sluice.log", ({ level, message }) => logs.push([level, message]));
    await using log = open({ storage: "memory" });
    await log.append("lines", ["1"]);
    expect(logs).toContainEqual(["warning", expect.stringContaining("is in memory")]);
  });

  it("reads from the middle and the end of a long topic, by what it remembers and without", async () => {
    const prefix = `suite-${++opened}`;
    const options = { servers: server().url, prefix, count: 5_000, maxBytes: 2 ** 26 };
    await using writer = natsLog<string>(options);
    const texts = (first: number, last: number): string[] =>
      Array.from({ length: last - first + 1 }, (_, n) => String(first + n));
    for (let n = 1; n <= 3_000; n += 3) await writer.append("lines", texts(n, n + 2));
    await using reader = natsLog<string>(options);
    for (const log of [reader, reader, writer]) {
      const { entries, position } = await log.last("lines", 10);
      expect([entries, position.offset]).toEqual([texts(2_991, 3_000), 3_000]);
      const { epoch } = position;
      expect(await log.read("lines", { epoch, offset: 1_500 }, 5)).toEqual({
        status: "resumed",
        entries: texts(1_501, 1_505),
        position: { epoch, offset: 1_505 },
      });
      const all = await log.read("lines", { epoch, offset: 0 }, 5_000);
      expect([all.status, all.entries]).toEqual(["resumed", texts(1, 3_000)]);
    }
  });

  it("R56: asks for a long past page by page, and for none of it twice", async () => {
    const prefix = `suite-${++opened}`;
    const options = { prefix, count: 5_000, bytes: 2 ** 26, maxBytes: 2 ** 26 };
    await using writer = natsLog<string>({ servers: server().url, ...options });
    for (let n = 0; n < 2_000; n++)
      await Promise.all(["lines", "others"].map((topic) => writer.append(topic, [`line ${n}`])));
    const { position } = await writer.last("lines", 0);
    await using line = await HeldLine.to(server().url);
    const cost = async (perPage: number): Promise<number> => {
      await using reader = natsLog<string>({ servers: line.through(server().url), ...options });
      await reader.last("lines", 0);
      const before = line.heard;
      for (let at = { ...position, offset: 0 }; at.offset < 2_000;)
        at = (await reader.read("lines", at, perPage)).position;
      return line.heard - before;
    };
    const [whole, inPages] = [await cost(2_000), await cost(200)];
    expect(inPages).toBeLessThan(whole * 3);
  });
});

describeOn("nats", "natsLog on one server", (server) => {
  outages(
    server,
    "NATS, one server",
    (options) => natsLog({ servers: server().url, ...options }),
    false,
  );
});

describeOn("nats", "natsLog that trusts the restarts of its server", (server) => {
  const trusting = { trustRestarts: true };
  outages(
    server,
    "NATS, one server that is trusted",
    (options) => natsLog({ servers: server().url, ...trusting, ...options }),
    true,
  );
});
