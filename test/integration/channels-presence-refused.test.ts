// What presence refuses, and what it holds back, as the stock client hears it.
import { Presence as StockPresence, type Channel } from "phoenix";
import { describe, expect, it } from "vitest";
import { startSupervisor, withSystem } from "sluice";
import { endpoint } from "sluice/channels";
import { presence, type PresenceLimits } from "sluice/presence";
import { attach } from "sluice/telemetry";
import { hangUp, stockClient, until } from "./support/clients.ts";

interface Meta {
  readonly n: number;
}
interface Topics {
  "room:*": {
    join(params: { readonly as: string }): void;
    in: {
      typing(payload: Meta): void;
      also(payload: { readonly as: string }): void;
      wrong(payload: object): void;
    };
  };
}

/** Serves rooms that track in `join` while `body` runs; gives what went to the log. */
async function served(
  limits: Partial<PresenceLimits>,
  body: (url: string) => Promise<void>,
): Promise<string[]> {
  const web = endpoint<Topics>("web");
  const here = presence<Meta>("here");
  const room = web.channel("room:*", {
    schemas: "trusted",
    async join({ as }, channel) {
      await here.track(channel, as, { n: 0 });
      return { assigns: { as } };
    },
    joined: (channel) => here.pushState(channel),
    on: {
      async typing(meta, channel) {
        await here.update(channel, channel.assigns.as, meta);
      },
      async also({ as }, channel) {
        await here.track(channel, as, { n: 0 });
      },
      async wrong(_payload, channel) {
        await here.update(channel, channel.assigns.as, () => {
          throw new Error("a mistake");
        });
      },
    },
  });
  const logs: string[] = [];
  await withSystem(async () => {
    using _errors = attach("sluice.log", ({ message }) => void logs.push(message));
    await using app = await startSupervisor({
      strategy: "rest_for_one",
      children: {
        here: here.child({ to: web, limits }),
        web: web.child({
          port: 0,
          sockets: { "/socket": { connect: () => ({}), channels: [room] } },
        }),
      },
    });
    await body((await app.children.web.call.address()).url);
  });
  return logs;
}

interface Sent {
  receive(status: "ok" | "error", callback: (response: unknown) => void): this;
}
const answered = (push: Sent): Promise<unknown> =>
  new Promise((resolve) => {
    push
      .receive("ok", (response) => resolve({ ok: response }))
      .receive("error", (reason) => resolve({ error: reason }));
  });

function crashesOf(channel: Channel): unknown[] {
  const crashes: unknown[] = [];
  channel.onError((reason: unknown) => void crashes.push(reason));
  return crashes;
}

describe("what presence refuses", () => {
  it("in a join is its error reply: the join is refused, and nothing crashes (C93, R55, R63)", async () => {
    const logs = await served({ maxKeysPerTopic: 1 }, async (url) => {
      const socket = stockClient(url);
      const join = (as: string): Promise<unknown> =>
        answered(socket.channel("room:lobby", { as }).join());
      expect(await join("constructor")).toEqual({ error: { reason: "presence refused" } });
      expect(await join("~")).toEqual({ error: { reason: "presence refused" } });
      expect(await join("ann")).toEqual({ ok: {} });
      const other = stockClient(url);
      expect(await answered(other.channel("room:lobby", { as: "bob" }).join())).toEqual({
        error: { reason: "presence limit" },
      });
      await hangUp(socket, other);
    });
    expect(logs).toEqual([]);
  });

  it("in an event is its error reply: the channel goes on (R55, R63)", async () => {
    const logs = await served({ maxPerProcess: 1 }, async (url) => {
      const socket = stockClient(url);
      const channel = socket.channel("room:lobby", { as: "ann" });
      const crashes = crashesOf(channel);
      expect(await answered(channel.join())).toEqual({ ok: {} });
      for (const [as, reason] of [
        ["toString", "presence refused"],
        ["k".repeat(200), "presence refused"],
        ["bob", "presence limit"],
      ])
        expect(await answered(channel.push("also", { as }))).toEqual({ error: { reason } });
      expect(await answered(channel.push("typing", { n: 1 }))).toEqual({ ok: {} });
      expect(crashes).toEqual([]);
      await hangUp(socket);
    });
    expect(logs).toEqual([]);
  });

  it("is not what a mistake of the server's is: that crashes the channel, and the log says so", async () => {
    const logs = await served({}, async (url) => {
      const socket = stockClient(url);
      const channel = socket.channel("room:lobby", { as: "ann" });
      const crashes = crashesOf(channel);
      await answered(channel.join());
      channel.push("wrong", {});
      await until(() => crashes.length > 0);
      await hangUp(socket);
    });
    expect(logs).toEqual([expect.stringContaining("channel")]);
  });
});

describe("more updates than the rate allows", () => {
  it("are all answered with ok, the last one is told, and nothing crashes (R55)", () =>
    served({}, async (url) => {
      const [socket, other] = [stockClient(url), stockClient(url)];
      const channel = socket.channel("room:lobby", { as: "ann" });
      const watching = other.channel("room:lobby", { as: "bob" });
      const crashes = crashesOf(channel);
      const all = new StockPresence(watching);
      await Promise.all([answered(channel.join()), answered(watching.join())]);
      const answers = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => answered(channel.push("typing", { n })));
      expect(await Promise.all(answers)).toEqual(Array(8).fill({ ok: {} }));
      const told = (): unknown =>
        all.list((key: string, { metas }: { metas: Meta[] }) => ({ key, n: metas.at(-1)!.n }));
      await until(() => JSON.stringify(told()).includes('{"key":"ann","n":8}'));
      expect(crashes).toEqual([]);
      await hangUp(socket, other);
    }).then((logs) => expect(logs).toEqual([])));
});
