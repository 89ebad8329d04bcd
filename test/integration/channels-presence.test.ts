// Presence over real sockets, to the Presence of the stock client.
import { Presence as StockPresence, type Socket } from "phoenix";
import { describe, expect, it } from "vitest";
import { SluiceError, startSupervisor, withSystem } from "sluice";
import { Refused, endpoint } from "sluice/channels";
import { presence, type Presence, type PresenceOptions } from "sluice/presence";
import { attach } from "sluice/telemetry";
import { score } from "../scoreboard.ts";
import { hangUp, stockClient, until } from "./support/clients.ts";

interface Meta {
  readonly device: string;
  readonly typing?: boolean;
}
interface RoomTopic {
  join(params: {
    readonly as: string;
    readonly device?: string;
    readonly stateAfterMs?: number;
  }): void;
  in: {
    typing(payload: { readonly typing: boolean }): { readonly ref: string };
    again(payload: object): object;
    untrack(payload: object): object;
    boom(payload: object): void;
  };
}
interface Topics {
  "room:*": RoomTopic;
}

interface Served {
  readonly url: string;
  readonly here: Presence<Meta, { readonly name?: string }>;
}

/** Serves rooms whose clients are present while `body` runs. */
function served(
  body: (served: Served) => Promise<void>,
  options: PresenceOptions<Meta, { readonly name?: string }> = {},
): Promise<void> {
  const web = endpoint<Topics>("web");
  const here = presence<Meta, { readonly name?: string }>("here");
  const room = web.channel("room:*", {
    schemas: "trusted",
    join: ({ as, device = "phone", stateAfterMs = 0 }) => ({
      assigns: { as, device, stateAfterMs },
    }),
    async joined(channel) {
      const { as, device, stateAfterMs } = channel.assigns;
      await here.track(channel, as, { device });
      if (stateAfterMs === 0) await here.pushState(channel);
      else channel.after(stateAfterMs, () => here.pushState(channel));
    },
    on: {
      async typing({ typing }, channel) {
        return {
          ref: await here.update(channel, channel.assigns.as, (meta) => ({ ...meta, typing })),
        };
      },
      async again(_payload, channel) {
        try {
          await here.track(channel, channel.assigns.as, { device: "other" });
        } catch (error) {
          throw new Refused({ code: (error as SluiceError).code });
        }
        return {};
      },
      async untrack(_payload, channel) {
        await here.untrack(channel, channel.assigns.as);
        return {};
      },
      boom() {
        throw new Error("a secret");
      },
    },
  });
  return withSystem(async () => {
    using _errors = attach("sluice.log", () => {});
    await using app = await startSupervisor({
      strategy: "rest_for_one",
      children: {
        here: here.child({ to: web, ...options }),
        web: web.child({
          port: 0,
          sockets: { "/socket": { connect: () => ({}), channels: [room] } },
        }),
      },
    });
    await body({ url: (await app.children.web.call.address()).url, here });
  });
}

/** One who has joined, and who is there for it. */
class User {
  readonly socket: Socket;
  readonly channel: ReturnType<Socket["channel"]>;
  readonly presence: StockPresence;
  readonly joins: string[] = [];
  readonly leaves: string[] = [];
  /** States and diffs in the order in which they came. */
  readonly told: string[] = [];
  readonly diffs: { readonly joins: object; readonly leaves: object }[] = [];

  constructor(url: string, as: string, params: object = {}, topic = "room:lobby") {
    this.socket = stockClient(url);
    this.channel = this.socket.channel(topic, { as, ...params });
    for (const event of ["presence_state", "presence_diff", "presence_count"])
      this.channel.on(event, (payload: unknown) => {
        this.told.push(event);
        if (event === "presence_diff") this.diffs.push(payload as (typeof this.diffs)[number]);
      });
    this.presence = new StockPresence(this.channel);
    this.presence.onJoin((key) => void this.joins.push(key!));
    this.presence.onLeave((key) => void this.leaves.push(key!));
    this.channel.join();
  }

  get list(): string[] {
    return this.presence.list((key: string) => key).toSorted();
  }

  metas(key: string): readonly { readonly [field: string]: unknown }[] {
    const all = this.presence.list((one: string, { metas }: { metas: readonly object[] }) => ({
      one,
      metas,
    }));
    return (all.find(({ one }) => one === key)?.metas ?? []) as never;
  }

  push(event: string, payload: object = {}): Promise<[string, unknown]> {
    return new Promise((resolve) => {
      const sent = this.channel.push(event, payload);
      sent.receive("ok", (reply: unknown) => resolve(["ok", reply]));
      sent.receive("error", (reply: unknown) => resolve(["error", reply]));
    });
  }
}

const same = (one: readonly string[], ...other: string[]): boolean => String(one) === String(other);

describe("presence, to the stock client", () => {
  it("two users join and see each other, each once; one leaves, one drops off, and the lists are right (C81, C84, C87, C88, L95, L98, L101, L135)", () =>
    served(async ({ url, here }) => {
      const ann = new User(url, "ann");
      await until(() => same(ann.list, "ann"));
      const bob = new User(url, "bob");
      await until(() => same(ann.list, "ann", "bob") && same(bob.list, "ann", "bob"));
      expect([...(await here.list("room:lobby")).keys()]).toEqual(["ann", "bob"]);
      // In the state or in a diff, of its own too.
      expect([ann.joins, bob.joins.toSorted()]).toEqual([
        ["ann", "bob"],
        ["ann", "bob"],
      ]);
      bob.channel.leave();
      await until(() => same(ann.list, "ann"));
      const cat = new User(url, "cat");
      await until(() => same(ann.list, "ann", "cat"));
      await hangUp(cat.socket);
      await until(() => same(ann.list, "ann"));
      expect(ann.leaves).toEqual(["bob", "cat"]);
      expect(await here.count("room:lobby")).toBe(1);
      await hangUp(ann.socket, bob.socket);
      await until(() => ann.socket.connectionState() === "closed");
    }));

  it("the meta has its phx_ref; a user with two tabs is one key with two metas, and stays until the last is closed (C81, C91, L97, L100, L135)", () =>
    served(async ({ url, here }) => {
      const watcher = new User(url, "watcher");
      const one = new User(url, "ann", { device: "phone" });
      const two = new User(url, "ann", { device: "desk" });
      await until(() => watcher.metas("ann").length === 2);
      const metas = watcher.metas("ann");
      expect(new Set(metas.map(({ device }) => device))).toEqual(new Set(["phone", "desk"]));
      expect(new Set(metas.map(({ phx_ref: ref }) => ref)).size).toBe(2);
      expect((await here.getByKey("room:lobby", "ann"))?.metas).toHaveLength(2);
      one.channel.leave();
      await until(() => watcher.metas("ann").length === 1);
      expect(watcher.metas("ann")[0]).toMatchObject({ device: "desk" });
      two.channel.leave();
      await until(() => same(watcher.list, "watcher"));
      await hangUp(watcher.socket, one.socket, two.socket);
    }));

  it("an update is one diff with a join and a leave, and names the ref before it (C83, C88, L103, L135)", () =>
    served(async ({ url }) => {
      const [ann, bob] = [new User(url, "ann"), new User(url, "bob")];
      await until(() => same(ann.list, "ann", "bob") && same(bob.list, "ann", "bob"));
      const [{ phx_ref: before } = {}] = bob.metas("ann");
      const diffs = bob.diffs.length;
      const [, reply] = await ann.push("typing", { typing: true });
      await until(() => bob.metas("ann")[0]?.["typing"] === true);
      const [meta] = bob.metas("ann");
      expect(meta).toMatchObject({
        device: "phone",
        phx_ref_prev: before,
        phx_ref: (reply as { ref: string }).ref,
      });
      expect(bob.metas("ann")).toHaveLength(1);
      expect(bob.diffs.slice(diffs)).toEqual([
        {
          joins: { ann: { metas: [meta] } },
          leaves: { ann: { metas: [expect.objectContaining({ phx_ref: before })] } },
        },
      ]);
      await hangUp(ann.socket, bob.socket);
    }));

  it("a diff that comes before the state waits in the client for it, the joiner's own too (C89, L135)", () =>
    served(async ({ url }) => {
      const ann = new User(url, "ann");
      await until(() => same(ann.list, "ann"));
      const late = new User(url, "late", { stateAfterMs: 200 });
      await until(() => late.told.includes("presence_diff"));
      expect([late.told, late.list]).toEqual([["presence_diff"], []]);
      await until(() => same(late.list, "ann", "late"));
      expect(late.told.slice(0, 2)).toEqual(["presence_diff", "presence_state"]);
      expect(late.metas("late")).toHaveLength(1);
      await hangUp(ann.socket, late.socket);
    }));

  it("a channel that crashes is gone, and is there again when its client has joined again (C88, C104, L98)", () =>
    served(async ({ url }) => {
      const [ann, bob] = [new User(url, "ann"), new User(url, "bob")];
      await until(() => same(ann.list, "ann", "bob"));
      const [{ phx_ref: before } = {}] = ann.metas("bob");
      bob.channel.push("boom", {});
      await until(() => ann.leaves.includes("bob"));
      await until(() => same(ann.list, "ann", "bob") && same(bob.list, "ann", "bob"));
      expect(ann.metas("bob")).toHaveLength(1);
      expect(ann.metas("bob")[0]!["phx_ref"]).not.toBe(before);
      await hangUp(ann.socket, bob.socket);
    }));

  it("untrack ends one presence and leaves the channel; the same key twice is refused by code (C81, C82, L101, L102)", () =>
    served(async ({ url }) => {
      const [ann, bob] = [new User(url, "ann"), new User(url, "bob")];
      await until(() => same(ann.list, "ann", "bob"));
      expect(await bob.push("again")).toEqual(["error", { code: "SLUICE_ALREADY_TRACKED" }]);
      expect(await bob.push("untrack")).toEqual(["ok", {}]);
      expect(await bob.push("untrack")).toEqual(["ok", {}]);
      await until(() => same(ann.list, "ann") && same(bob.list, "ann"));
      expect(await bob.push("again")).toEqual(["ok", {}]);
      await until(() => same(ann.list, "ann", "bob"));
      await hangUp(ann.socket, bob.socket);
    }));

  it("names that every object has are refused, and are keys like others where they are let in (C93, R63, L135)", async () => {
    const names = Object.getOwnPropertyNames(Object.prototype);
    const before = JSON.stringify(names);
    await served(
      async ({ url, here }) => {
        const users = names.map((name) => new User(url, name));
        const watcher = new User(url, "");
        const all = [...names, ""].toSorted();
        await until(() => same(watcher.list, ...all));
        const keys = [...(await here.list("room:lobby")).keys()].toSorted();
        const strange = names.filter((name) => !keys.includes(name));
        score(
          "R63",
          `of ${names.length} names that every object has, no keys like others`,
          `${strange.length}`,
        );
        expect(keys).toEqual(all);
        await Promise.all(users.slice(1).map(({ socket }) => hangUp(socket)));
        await until(() => same(watcher.list, ...["", names[0]!].toSorted()));
        await hangUp(users[0]!.socket, watcher.socket);
      },
      { prototypeNames: true },
    );
    expect(JSON.stringify(Object.getOwnPropertyNames(Object.prototype))).toBe(before);
    await served(async ({ url, here }) => {
      const user = new User(url, "constructor");
      const errors: unknown[] = [];
      user.channel.onError(() => void errors.push(1));
      await until(() => errors.length > 0);
      expect(await here.count("room:lobby")).toBe(0);
      await hangUp(user.socket);
    });
  });

  it("what fetch says of a key stands beside its metas, in states, diffs and lists (C86, L98)", () =>
    served(
      async ({ url, here }) => {
        const ann = new User(url, "ann");
        await until(() => same(ann.list, "ann"));
        const bob = new User(url, "bob");
        await until(() => same(ann.list, "ann", "bob") && same(bob.list, "ann", "bob"));
        const names = (user: User): string[] =>
          user.presence
            .list((_key: string, one: { name?: string }) => one.name ?? "")
            .toSorted((one, other) => one.localeCompare(other));
        expect([names(ann), names(bob)]).toEqual([
          ["ANN", "BOB"],
          ["ANN", "BOB"],
        ]);
        expect((await here.getByKey("room:lobby", "ann"))?.name).toBe("ANN");
        await hangUp(ann.socket, bob.socket);
      },
      {
        fetch: async (_topic, presences) => {
          await new Promise((resolve) => setImmediate(resolve));
          return new Map([...presences.keys()].map((key) => [key, { name: key.toUpperCase() }]));
        },
      },
    ));

  it("a topic of counts tells how many there are, and nothing else", () =>
    served(
      async ({ url }) => {
        const counts: unknown[] = [];
        const ann = new User(url, "ann");
        ann.channel.on("presence_count", (payload: unknown) => void counts.push(payload));
        await until(() => counts.length > 0);
        const bob = new User(url, "bob");
        await until(() => JSON.stringify(counts.at(-1)) === '{"count":2}');
        await hangUp(bob.socket);
        await until(() => JSON.stringify(counts.at(-1)) === '{"count":1}');
        expect(new Set(ann.told)).toEqual(new Set(["presence_count"]));
        await hangUp(ann.socket);
      },
      { announce: () => "count" },
    ));
});
