// What adapters refuse before they connect; no server is needed.
import { describe, expect, it } from "vitest";
import { natsAdapter } from "sluice/nats";
import { postgresAdapter } from "sluice/postgres";
import { redisAdapter } from "sluice/redis";

const secret = "hunter2";

describe("an adapter", () => {
  it.each<[string, () => unknown]>([
    ["servers: got", () => natsAdapter({ servers: [] })],
    ["servers: got", () => natsAdapter({ servers: `me:${secret}@localhost:4222` })],
    ...[undefined, 5, {}, [5], ["a b"], [`:${secret}:`]].map((servers): [string, () => unknown] => [
      "servers: got",
      () => natsAdapter({ servers } as never),
    ]),
    ...[null, 5, secret, [secret]].flatMap((client): [string, () => unknown][] => {
      const url = "redis://localhost";
      const connectionString = "postgres://localhost/db";
      return [
        ["client: got", () => natsAdapter({ servers: "localhost", client } as never)],
        ["client: got", () => redisAdapter({ url, client } as never)],
        ["client.socket: got", () => redisAdapter({ url, client: { socket: client } } as never)],
        ["client: got", () => postgresAdapter({ connectionString, client } as never)],
      ];
    }),
    ["prefix: got", () => natsAdapter({ servers: "localhost", prefix: "a.*" })],
    ["prefix: got", () => natsAdapter({ servers: "localhost", prefix: "" })],
    ["url: got", () => redisAdapter({ url: `me:${secret}@localhost` })],
    ["url: got", () => redisAdapter({ url: `http://me:${secret}@localhost` })],
    ["connectionString: got", () => postgresAdapter({ connectionString: `me:${secret}@db` })],
    [
      "connectionString: got",
      () => postgresAdapter({ connectionString: `postgres://me:${secret}@db:port/` }),
    ],
    [
      "prefix: got",
      () => postgresAdapter({ connectionString: "postgres://db", prefix: 'x"; drop' }),
    ],
    [
      "prefix: got",
      () => postgresAdapter({ connectionString: "postgres://db", prefix: "x".repeat(19) }),
    ],
  ])("refuses an option that cannot be, by its name and without a secret: %s", (text, make) => {
    let message = "";
    try {
      make();
    } catch (error) {
      message = JSON.stringify([String(error), error]);
    }
    expect(message).toContain(text);
    expect(message).toContain("SLUICE_INVALID_OPTION");
    expect(message).not.toContain(secret);
  });

  it("that cannot connect says why without a secret", async () => {
    const events = { message() {}, lost() {} };
    const url = `me:${secret}@127.0.0.1:1`;
    const client = { user: "me", pass: secret };
    for (const adapter of [
      natsAdapter({ servers: "127.0.0.1:1", client }),
      redisAdapter({ url: `redis://${url}` }),
      postgresAdapter({ connectionString: `postgres://${url}/db` }),
    ]) {
      const [result] = await Promise.allSettled([
        adapter.connect(events, new AbortController().signal),
      ]);
      expect(result.status).toBe("rejected");
      const { reason } = result as { readonly reason: unknown };
      expect(`${String(reason)} ${JSON.stringify(reason)}`).not.toContain(secret);
    }
  });
});
