// R51: what a line brings when nobody waits for it any more: an append that was given up does not come behind a later one.
import { Client } from "pg";
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

describeOn("postgres", "a log on postgres whose user may end no session", (server) => {
  it("goes on, and says once what that means (R51)", async () => {
    const notes: [string, string][] = [];
    using _logs = attach("sluice.log", ({ level, message }) => notes.push([level, message]));
    const admin = new Client({ connectionString: server().url });
    await admin.connect();
    await admin.query("CREATE ROLE humble LOGIN; GRANT CREATE ON SCHEMA public TO humble");
    await admin.query("REVOKE EXECUTE ON FUNCTION pg_terminate_backend FROM PUBLIC");
    const endSessions = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1";
    const url = new URL(server().url);
    url.username = "humble";
    await using line = await HeldLine.to(url.href);
    await using log = opens.postgres(line.through(url.href));
    const appended = async (text: string): Promise<Position> => {
      for (;;) {
        const position = await log.append("lines", [text]).catch(() => undefined);
        if (position !== undefined) return position;
      }
    };
    for (const round of [1, 2]) {
      await appended(`before ${round}`);
      line.hold();
      await expect(log.append("lines", [`given up ${round}`])).rejects.toMatchObject({
        code: "SLUICE_TIMEOUT",
      });
      await appended(`after ${round}`);
      await line.letGo();
      // The line holds only connections that were made while it held none.
      await admin.query(endSessions, ["humble"]);
    }
    await admin.end();
    const told = notes.filter(([, message]) => message.includes("may come behind later ones"));
    expect(told).toEqual([["info", expect.stringContaining("postgres does not let")]]);
  });
});
