// R51: what a line brings when nobody waits for it any more: an append that was given up does not come behind a later one.
import { expect, it } from "vitest";
import { natsLog } from "sluice/nats";
import { postgresLog } from "sluice/postgres";
import { redisLog } from "sluice/redis";
import type { Log, Position } from "sluice/store";
import { attach } from "sluice/telemetry";
import { describeOn } from "../../support/servers/on-server.ts";
import { HeldLine } from "./held-line.ts";

type Open = (url: string) => Log<string> & AsyncDisposable;

const timeoutMs = 500;
const opens: { readonly [N in "nats" | "redis" | "postgres"]: Open } = {
  nats: (servers) => natsLog({ servers, timeoutMs }),
  redis: (url) => redisLog({ url, timeoutMs }),
  postgres: (connectionString) => postgresLog({ connectionString, timeoutMs }),
};

for (const name of ["nats", "redis", "postgres"] as const)
  describeOn(name, `a log on ${name} behind a line that is late`, (server) => {
    it("lets no append that was given up come behind a later one (R51)", async () => {
      using _quiet = attach("sluice.log", () => {});
      await using line = await HeldLine.to(server().url);
      await using log = opens[name](line.through(server().url));
      await log.append("lines", ["first"]);
      line.hold();
      await expect(log.append("lines", ["given up"])).rejects.toMatchObject({
        code: "SLUICE_TIMEOUT",
      });
      let second: Position | undefined;
      while (second === undefined)
        second = await log.append("lines", ["second"]).catch(() => undefined);
      await line.letGo();
      const { entries, position } = await log.last("lines", 9);
      expect(entries).toEqual(["first", "second"]);
      expect(position).toEqual(second);
    });
  });
