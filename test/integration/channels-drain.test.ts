import { startSupervisor, withSystem } from "sluice";
import { endpoint } from "sluice/channels";
import { attach } from "sluice/telemetry";
import { describe, expect, it } from "vitest";
import { score } from "../scoreboard.ts";
import { rawClient, until } from "./support/clients.ts";

interface Topics {
  lobby: { in: { say(payload: object): object }; out: { said: object } };
}

describe("an endpoint that stops", () => {
  it("sends its clients away in batches, and serves those that wait for theirs (L62, R78, C21)", () =>
    withSystem(async () => {
      const web = endpoint<Topics>("web");
      const lobby = web.channel("lobby", {
        schemas: "trusted",
        join: () => ({ assigns: {} }),
        on: { say: (payload) => payload },
      });
      const batches: unknown[] = [];
      using _drained = attach("sluice.channels.drained", (batch) => batches.push(batch));
      const app = await startSupervisor({
        strategy: "one_for_one",
        children: {
          web: web.child({
            port: 0,
            sockets: { "/socket": { connect: () => ({}), channels: [lobby] } },
            drain: { batchSize: 2, intervalMs: 500 },
          }),
        },
      });
      const { url } = await app.children.web.call.address();
      const clients = await Promise.all(Array.from({ length: 5 }, () => rawClient(url)));
      for (const client of clients) await client.ask(["1", "1", "lobby", "phx_join", {}]);
      const closedAtMs: number[] = [];
      for (const { ws } of clients) ws.on("close", () => closedAtMs.push(performance.now()));

      const stopped = app[Symbol.asyncDispose]();
      await until(() => closedAtMs.length === 2);
      const waiting = clients.filter(({ close }) => close === undefined);
      expect(waiting).toHaveLength(3);
      const answers = await Promise.all(
        waiting.map((client, n) => client.ask(["1", "2", "lobby", "say", { n }])),
      );
      expect(answers.map(([, , , , answer]) => answer)).toEqual(
        waiting.map((_, n) => ({ status: "ok", response: { n } })),
      );
      score(
        "R78",
        "clients that ask while others are sent away, answered",
        `${answers.length} of 3`,
      );
      web.broadcast("lobby", "said", {});
      expect((await waiting[2]!.next())[3]).toBe("said");
      await expect(rawClient(url)).rejects.toMatchObject({ statusCode: 503 });
      await stopped;
      await until(() => closedAtMs.length === 5);
      expect(clients.map(({ close }) => close?.code)).toEqual(Array(5).fill(1012));
      expect(closedAtMs[2]! - closedAtMs[1]!).toBeGreaterThan(300);
      expect(closedAtMs[4]! - closedAtMs[3]!).toBeGreaterThan(300);
      expect(batches).toEqual([
        { endpoint: "web", clients: 2, index: 0, of: 3 },
        { endpoint: "web", clients: 2, index: 1, of: 3 },
        { endpoint: "web", clients: 1, index: 2, of: 3 },
      ]);
    }));
});
