import { createClient } from "redis";
import { expect, it } from "vitest";
import { redisLog } from "sluice/redis";
import type { Read } from "sluice/store";
import { attach } from "sluice/telemetry";
import { logSuite } from "sluice/testing";
import { describeOn } from "../../support/servers/on-server.ts";
import { until } from "../support/clients.ts";
import { outages } from "./outages.ts";

let opened = 0;

describeOn("redis", "redisLog", (server) => {
  const open = (bounds: object) =>
    redisLog<string>({ url: server().url, prefix: `suite-${++opened}`, ...bounds });

  it.each(logSuite({ open }))("$name", { timeout: 120_000 }, async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });

  it("forgets topics beyond `maxTopics`, those that were not written for the longest", async () => {
    const url = server().url;
    await using log = redisLog<string>({ url, prefix: "few", maxTopics: 3 });
    const first = await log.append("1", ["a"]);
    for (const topic of ["2", "3", "4"]) await log.append(topic, ["a"]);
    const { status, entries } = await log.read("1", { ...first, offset: 0 }, 10);
    expect([status, entries]).toEqual(["reset", []]);
    expect((await log.last("2", 10)).entries).toEqual(["a"]);
    expect((await log.append("1", ["b"])).epoch).not.toBe(first.epoch);
  });

  it("goes on as a user who may end no connection, and says what that means (R51)", async () => {
    const logs: [string, string][] = [];
    using _logs = attach("sluice.log", ({ level, message }) => logs.push([level, message]));
    const admin = createClient({ url: server().url });
    await admin.connect();
    await admin.aclSetUser("humble", ["on", "nopass", "~*", "&*", "+@all", "-client"]);
    await admin.close();
    const client = { username: "humble", password: "any" };
    await using log = redisLog<string>({ url: server().url, prefix: "humble", client });
    expect((await log.append("lines", ["1"])).offset).toBe(1);
    expect(logs).toContainEqual(["info", expect.stringContaining("may come behind later ones")]);
  });
});

describeOn(
  "redis",
  "redisLog with `appendfsync always`",
  (server) => {
    outages(
      server,
      "Redis, appendfsync always",
      (options) => redisLog({ url: server().url, prefix: "always", ...options }),
      true,
    );
  },
  { args: ["--appendfsync", "always"] },
);

describeOn("redis", "redisLog with `appendfsync everysec`", (server) => {
  const open = (options: object) => redisLog<string>({ url: server().url, ...options });
  outages(server, "Redis, appendfsync everysec", open, false);
});

describeOn(
  "redis",
  "redisLog with `appendonly no`",
  (server) => {
    it("warns; when the data is gone, a new life begins and every reader hears of a reset", async () => {
      const logs: [string, string][] = [];
      using _logs = attach("sluice.log", ({ level, message }) => logs.push([level, message]));
      await using log = redisLog<string>({ url: server().url });
      const reads: Read<string>[] = [];
      log.tail("lines", { last: 9 }, (read) => reads.push(read));
      const before = await log.append("lines", ["1", "2", "3"]);
      expect(logs).toContainEqual(["warning", expect.stringContaining("`appendonly no`")]);
      await until(() => reads.at(-1)?.position.offset === 3);
      await server().kill();
      await server().start();
      await until(() => reads.at(-1)?.status === "reset");
      expect(reads.at(-1)).toMatchObject({ status: "reset", entries: [], position: { offset: 0 } });
      const after = await log.append("lines", ["4", "5", "6", "7"]);
      expect([after.offset, after.epoch !== before.epoch]).toEqual([4, true]);
      expect(await log.read("lines", before, 10)).toMatchObject({
        status: "reset",
        entries: ["4", "5", "6", "7"],
      });
      await until(() => reads.at(-1)?.position.offset === 4);
      expect(reads.filter(({ status }) => status === "reset").length).toBe(1);
    });
  },
  { args: ["--appendonly", "no"] },
);
