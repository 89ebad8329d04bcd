import { describe, expect, it } from "vitest";
import { Process, sleep, start, startSupervisor, withSystem } from "../process/index.ts";
import { Refused, endpoint, fields, type Endpoint } from "../channels/index.ts";
import { topic } from "../pubsub/index.ts";
import { attach } from "../telemetry/index.ts";
import { simulate } from "./simulate.ts";
import { testClient } from "./test-client.ts";

interface Room {
  join(params: { readonly as: string }): { readonly welcome: string };
  in: {
    say(payload: { readonly text: string }): { readonly length: number };
    whisper(payload: { readonly text: string }): void;
    later(payload: { readonly ms: number }): { readonly waited: number };
    silent(payload: object): void;
    crash(payload: object): void;
    end(payload: object): { readonly bye: string };
    others(payload: { readonly text: string }): void;
  };
  out: {
    said: { readonly text: string };
    heard: { readonly text: string };
    news: { readonly text: string };
    hidden: { readonly text: string };
  };
}
interface Topics {
  "room:*": Room;
  "files:*": {
    in: { put(bytes: Uint8Array): Uint8Array; facts(payload: object): object };
    out: { one: Uint8Array; all: Uint8Array };
  };
  lobby: { out: { hello: { readonly n: number } } };
}
interface User {
  readonly user: string;
}
const news = topic<{ readonly text: string }>("news");

/** An endpoint, and who has left. */
async function served(
  body: (web: Endpoint<Topics, User>, left: string[]) => Promise<void>,
): Promise<void> {
  const web = endpoint<Topics, User>("web");
  const left: string[] = [];
  const room = web.channel("room:*", {
    schemas: {
      join: fields({ as: "string" }),
      say: fields({ text: "string" }),
      whisper: fields({ text: "string" }),
      later: fields({ ms: "number" }),
      silent: fields({}),
      crash: fields({}),
      end: fields({}),
      others: fields({ text: "string" }),
    },
    join({ as }, { key, socket }) {
      if (key === "closed") throw new Refused({ reason: "closed" });
      if (key === "broken") throw new Error("a secret");
      return { assigns: { as }, reply: { welcome: `${socket.assigns.user} as ${as}` } };
    },
    joined: (channel) => channel.push("news", { text: `hello ${channel.assigns.as}` }),
    subscribe: () => [news],
    info: (message, channel) => channel.push("news", message),
    on: {
      say(payload, channel) {
        channel.broadcast("said", payload);
        return { length: payload.text.length };
      },
      whisper: (payload, channel) => channel.push("heard", payload),
      others: (payload, channel) => channel.broadcastFrom("said", payload),
      later({ ms }, channel, later) {
        channel.after(ms, () => later.reply({ waited: ms }));
        return later;
      },
      silent: (_, __, later) => later,
      crash() {
        throw new Error("a secret");
      },
      end(_, channel) {
        channel.stop();
        return { bye: channel.assigns.as };
      },
    },
    intercept: {
      hidden: ({ text }, channel) => (text === channel.assigns.as ? undefined : { text: "…" }),
    },
    leave: (channel) => void left.push(channel.assigns.as),
  });
  const files = web.channel("files:*", {
    schemas: "trusted",
    join: () => ({ assigns: { calls: 0 } }),
    on: {
      facts(_payload, { assigns, key, socket, topic: name }) {
        assigns.calls++;
        return { topic: name, key, assigns, socket };
      },
      put(bytes, channel) {
        if (bytes.length > 8) throw new Refused({ reason: "too large" });
        channel.push("one", bytes);
        channel.broadcast("all", bytes);
        return bytes.toReversed();
      },
    },
  });
  const lobby = web.channel("lobby", { join: () => ({ assigns: {} }) });
  using _quiet = attach("sluice.log", () => {});
  await using _app = await startSupervisor({
    strategy: "one_for_one",
    children: {
      web: web.child({
        port: 0,
        sockets: {
          "/socket": {
            connect({ user = "" }, { headers }) {
              if (user === "") throw new Refused({ reason: "who?" });
              return { user: headers.get("x-name") ?? user };
            },
            id: ({ user }) => `users:${user}`,
            channels: [room, files, lobby],
          },
        },
      }),
    },
  });
  await body(web, left);
}

/** In real and in virtual time. */
const both = async (
  body: (web: Endpoint<Topics, User>, left: string[]) => Promise<void>,
): Promise<void> => {
  await withSystem(() => served(body));
  await simulate(() => served(body), { seeds: 5 });
};
const ada = { params: { user: "ada" } };
const bob = { params: { user: "bob" } };

describe("testClient (C130)", () => {
  it("connects with params and headers, or tells the status of the refusal (C131, L73)", () =>
    both(async (web) => {
      await using named = await testClient(web, { ...ada, headers: { "x-name": "Ada" } });
      const { reply } = await named.join("room:1", { as: "a" });
      expect(reply).toEqual({ welcome: "Ada as a" });
      await expect(testClient(web)).rejects.toMatchObject({
        code: "SLUICE_UNEXPECTED",
        details: { got: "a refusal with 403" },
      });
      await expect(testClient(endpoint<Topics, User>("nobody"))).rejects.toMatchObject({
        code: "SLUICE_NOT_SERVING",
      });
      await expect(testClient(web, { ...ada, socket: "/other" })).rejects.toMatchObject({
        details: { got: "a refusal with 404" },
      });
    }));

  it("joins with a reply, or is told why not; a crash says no more (C132, L74, L76)", () =>
    both(async (web) => {
      await using client = await testClient(web, ada);
      const { reply } = await client.join("room:1", { as: "a" });
      expect(reply).toEqual({ welcome: "ada as a" });
      const refusals: unknown[] = [];
      for (const name of ["room:closed", "room:broken"] as const)
        await client.join(name, { as: "a" }).catch(({ reason }: Refused) => refusals.push(reason));
      expect(refusals).toEqual([
        { reason: "closed" },
        { reason: "join crashed", id: expect.any(String) as unknown },
      ]);
      await expect(client.join("room:1", { as: 7 } as never)).rejects.toMatchObject({
        reason: { reason: "invalid payload" },
      });
    }));

  it("connects and joins wherever a test runs code, such as in a process (L75)", () =>
    both(async (web) => {
      class Visitor extends Process {
        async visit(): Promise<unknown> {
          await using client = await testClient(web, ada);
          const visited = await client.join("room:1", { as: "visitor" });
          return [visited.reply, await visited.push("say", { text: "hi" })];
        }
      }
      await using visitor = await start(Visitor);
      expect(await visitor.call.visit()).toEqual([{ welcome: "ada as visitor" }, { length: 2 }]);
    }));

  it("shows its channel the topic, its key, the assigns, and what `connect` gave, and the id, of the socket (C7, C11)", () =>
    both(async (web) => {
      await using client = await testClient(web, ada);
      const facts = {
        topic: "files:a:b",
        key: "a:b",
        socket: { assigns: { user: "ada" }, id: "users:ada" },
      };
      const topic = await client.join("files:a:b", {});
      expect(await topic.push("facts", {})).toEqual({ ...facts, assigns: { calls: 1 } });
      expect(await topic.push("facts", {})).toEqual({ ...facts, assigns: { calls: 2 } });
    }));

  it("pushes, is answered now, later or with a refusal, or not at all (C133, L71, L77, L78)", () =>
    both(async (web) => {
      await using client = await testClient(web, ada);
      const room = await client.join("room:1", { as: "a" });
      expect(await room.push("say", { text: "hi" })).toEqual({ length: 2 });
      expect(await room.push("later", { ms: 20 })).toEqual({ waited: 20 });
      expect(await room.push("whisper", { text: "psst" })).toEqual({});
      await room.expectPush("heard", { text: "psst" });
      await expect(room.push("say", {} as never)).rejects.toMatchObject({
        reason: { reason: "invalid payload" },
      });
      await expect(room.push("silent", {}, { withinMs: 30 })).rejects.toMatchObject({
        code: "SLUICE_UNEXPECTED",
        details: { expected: 'an answer to "silent" {} on room:1' },
      });
    }));

  it("hears what all hear, what others hear, and what is said outside (C134, L70, L82, L83)", () =>
    both(async (web) => {
      await using first = await testClient(web, ada);
      await using second = await testClient(web, bob);
      const [mine, his] = [
        await first.join("room:1", { as: "a" }),
        await second.join("room:1", { as: "b" }),
      ];
      await mine.push("say", { text: "all" });
      await mine.expectBroadcast("said", { text: "all" });
      await his.expectBroadcast("said", { text: "all" });
      await mine.push("others", { text: "you" });
      await his.expectBroadcast("said", { text: "you" });
      await mine.expectNoBroadcast("said");
      web.broadcast("room:1", "said", { text: "outside" });
      web.broadcast("room:2", "said", { text: "elsewhere" });
      expect(await mine.expectBroadcast("said")).toEqual({ text: "outside" });
      expect(await his.expectBroadcast("said")).toEqual({ text: "outside" });
      await mine.expectNoBroadcast("said", { withinMs: 20 });
    }));

  it("tells pushes from broadcasts, and what came instead of what was expected (C135)", () =>
    both(async (web) => {
      await using client = await testClient(web, ada);
      const room = await client.join("room:1", { as: "a" });
      await room.expectPush("news", { text: "hello a" });
      await room.push("say", { text: "x" });
      await expect(room.expectPush("said", undefined, { withinMs: 20 })).rejects.toMatchObject({
        details: { expected: 'a push "said"', got: expect.stringContaining('"said"') as string },
      });
      await expect(
        room.expectBroadcast("said", { text: "y" }, { withinMs: 20 }),
      ).rejects.toMatchObject({ code: "SLUICE_UNEXPECTED" });
      await room.expectNoPush("said", { withinMs: 20 });
      await expect(room.expectNoBroadcast("said", { withinMs: 20 })).rejects.toMatchObject({
        details: { expected: "no broadcast said", got: '"said" {"text":"x"}' },
      });
      await room.expectBroadcast("said", { text: "x" });
    }));

  it("sees what its channel makes of a broadcast and of other topics (C136, L84, L88, L92)", () =>
    both(async (web) => {
      await using client = await testClient(web, ada);
      const room = await client.join("room:1", { as: "a" });
      await room.expectPush("news", { text: "hello a" });
      web.broadcast("room:1", "hidden", { text: "a" });
      web.broadcast("room:1", "hidden", { text: "b" });
      await room.expectBroadcast("hidden", { text: "…" });
      await room.expectNoBroadcast("hidden", { withinMs: 20 });
      news.broadcast({ text: "rain" });
      await room.expectPush("news", { text: "rain" });
      // What cannot be said in JSON is not there on the other side.
      const sent = { text: "t", more: undefined, when: new Date(0) } as never;
      expect(await room.push("say", sent)).toEqual({ length: 1 });
    }));

  it("sends and gets bytes as bytes (L28)", () =>
    both(async (web) => {
      await using client = await testClient(web, ada);
      const topic = await client.join("files:é", {});
      const bytes = Uint8Array.of(0, 255, 7);
      expect(await topic.push("put", bytes)).toEqual(Uint8Array.of(7, 255, 0));
      expect(await topic.expectPush("one")).toEqual(bytes);
      expect(await topic.expectBroadcast("all")).toEqual(bytes);
      await expect(topic.push("put", new Uint8Array(9))).rejects.toBeInstanceOf(Refused);
    }));

  it("leaves, twice if it likes; then it hears nothing (L85)", () =>
    both(async (web, left) => {
      await using client = await testClient(web, ada);
      const room = await client.join("room:1", { as: "a" });
      await room.leave();
      expect(left).toEqual(["a"]);
      web.broadcast("room:1", "said", { text: "x" });
      await room.expectNoBroadcast("said");
      room.cast("say", { text: "x" });
      await expect(room.leave({ withinMs: 50 })).rejects.toMatchObject({
        details: { expected: "the end of the channel" },
      });
    }));

  it("is told of an end in order after its reply, and of a crash without one (L79, L80, L81)", () =>
    both(async (web, left) => {
      await using client = await testClient(web, ada);
      const ended = await client.join("room:1", { as: "a" });
      expect(await ended.push("end", {})).toEqual({ bye: "a" });
      await ended.expectEnd();
      const crashed = await client.join("room:2", { as: "b" });
      crashed.cast("crash", {});
      await crashed.expectCrash();
      await expect(crashed.expectEnd({ withinMs: 20 })).rejects.toMatchObject({
        code: "SLUICE_UNEXPECTED",
      });
      expect(left).toEqual(["a"]);
    }));

  it("closes, is closed by its id, or is cut off; its channels leave (C133, L86, L90, L91)", () =>
    both(async (web, left) => {
      const closing = await testClient(web, ada);
      await closing.join("room:1", { as: "closing" });
      await closing.close();
      await using listed = await testClient(web, bob);
      await listed.join("room:1", { as: "listed" });
      web.disconnect("users:bob");
      await listed.expectClose(1001);
      const cut = await testClient(web, ada);
      const { reply } = await cut.join("room:2", { as: "cut" });
      expect(reply).toEqual({ welcome: "ada as cut" });
      cut.cut();
      await cut.expectClose(1006);
      await using watching = await testClient(web, ada);
      for (let tries = 0; left.length < 3 && tries < 100; tries++) await sleep(1);
      expect(left.toSorted()).toEqual(["closing", "cut", "listed"]);
      await watching.heartbeat();
    }));
});
