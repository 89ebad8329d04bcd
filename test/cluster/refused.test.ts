// A broker that refuses a subscription: NATS, the only one that takes those beside it.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { natsAdapter } from "sluice/nats";
import { describeOn } from "../support/servers/on-server.ts";

const config = join(mkdtempSync(join(tmpdir(), "sluice-nats-config-")), "nats.conf");
writeFileSync(
  config,
  'authorization { users: [{ user: me, password: x, permissions: { subscribe: { deny: ["p.secret"] } } }] }',
);

describeOn(
  "nats",
  "a subscription that NATS refuses",
  (server) => {
    it("leaves none of those that were asked for with it: asked for again, they are heard once (R52)", async () => {
      const texts: string[] = [];
      const adapter = natsAdapter({
        servers: new URL(server().url).host,
        prefix: "p",
        client: { user: "me", pass: "x" },
      });
      const events = { message: (text: string) => void texts.push(text), lost() {} };
      const connection = await adapter.connect(events, new AbortController().signal);
      try {
        await expect(connection.subscribe(["open", "secret"])).rejects.toThrow("secret");
        await connection.publish("open", "nobody hears it");
        await connection.subscribe(["open", "end"]);
        await connection.publish("open", "once");
        await connection.publish("end", "end");
        await expect.poll(() => texts).toContain("end");
        expect(texts).toEqual(["once", "end"]);
      } finally {
        connection.abort();
      }
    });
  },
  { args: ["-c", config] },
);
