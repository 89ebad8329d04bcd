// What stands on the wire, in Phoenix's words: connections and joins, by raw frames.
import { describe, expect, it } from "vitest";
import { score } from "../scoreboard.ts";
import { rawClient, until } from "./support/clients.ts";
import { served } from "./support/rooms.ts";

describe("a socket", () => {
  it("answers heartbeats without a join ref, whatever they carry", () =>
    served(async ({ url }) => {
      await using client = await rawClient(url);
      expect(await client.ask([null, "7", "phoenix", "heartbeat", { any: 1 }])).toEqual([
        null,
        "7",
        "phoenix",
        "phx_reply",
        { status: "ok", response: {} },
      ]);
      expect(await client.ask(["1", 8, "phoenix", "heartbeat", {}])).toEqual([
        null,
        8,
        "phoenix",
        "phx_reply",
        { status: "ok", response: {} },
      ]);
    }));

  it("answers what nobody matches without a join ref (C10, L19, L26)", () =>
    served(async ({ url, web }) => {
      await using client = await rawClient(url);
      const unmatched = { status: "error", response: { reason: "unmatched topic" } };
      expect(await client.ask(["1", "1", "nowhere", "phx_join", {}])).toEqual([
        null,
        "1",
        "nowhere",
        "phx_reply",
        unmatched,
      ]);
      expect(await client.ask(["1", "2", "room:1", "say", { text: "x" }])).toEqual([
        null,
        "2",
        "room:1",
        "phx_reply",
        unmatched,
      ]);
      expect(await client.ask([null, null, "phoenix", "other", {}])).toEqual([
        null,
        null,
        "phoenix",
        "phx_reply",
        unmatched,
      ]);
      web.broadcast("room:1", "said", { text: "nobody" });
      expect(await client.ask([null, "3", "phoenix", "heartbeat", {}])).toHaveProperty("1", "3");
    }));

  it("closes 1011 on a frame that is no message, and touches nobody else", () =>
    served(async ({ url }) => {
      await using other = await rawClient(url);
      await other.ask(["1", "1", "room:1", "phx_join", {}]);
      for (const text of ["", "{", "{}", "[1,2]", '"text"', '[null,null,1,"e",{}]', "null"]) {
        await using client = await rawClient(url);
        client.send(text);
        expect([text, await client.closed()]).toEqual([text, 1011]);
        expect(client.frames).toEqual([]);
      }
      expect((await other.ask(["1", "2", "room:1", "say", { text: "alive" }]))[3]).toBe("said");
    }));

  it("closes 1009 on a frame over 64 KiB, 1007 on text that is none (R65)", () =>
    served(async ({ url }) => {
      await using long = await rawClient(url);
      long.send(JSON.stringify([null, "1", "phoenix", "heartbeat", "x".repeat(65_536)]));
      expect(await long.closed()).toBe(1009);
      await using garbled = await rawClient(url);
      garbled.ws.send(Buffer.from([0xff, 0xfe]), { binary: false });
      expect(await garbled.closed()).toBe(1007);
    }));

  it("refuses 30 KB of brackets by an error reply, the third time by 1008 (R62)", () =>
    served(async ({ url }) => {
      await using client = await rawClient(url);
      await client.ask(["1", "1", "room:1", "phx_join", {}]);
      const brackets = `["1","2","room:1","say",${"[".repeat(15_000)}${"]".repeat(15_000)}]`;
      for (let strike = 1; strike <= 2; strike++) {
        const [joinRef, ref, topic, event, payload] = await client.ask(brackets);
        expect([joinRef, ref, topic, event]).toEqual(["1", "2", "room:1", "phx_reply"]);
        expect(payload).toMatchObject({ status: "error" });
      }
      client.send(brackets);
      const code = await client.closed();
      score(
        "R62",
        "two error replies to 30 KB of brackets, and behind the third",
        `closed ${code}`,
      );
      expect(code).toBe(1008);
    }));

  it("answers more messages than it may send, then closes 1008 (R69)", () =>
    served(
      async ({ url }) => {
        await using client = await rawClient(url);
        const beat = [null, "1", "phoenix", "heartbeat", {}] as const;
        const flood = setInterval(() => client.send(beat), 5);
        try {
          expect(await client.closed()).toBe(1008);
        } finally {
          clearInterval(flood);
        }
        const errors = client.frames.filter(
          ([, , , , payload]) => (payload as { readonly status: string }).status === "error",
        );
        expect(errors[0]?.[4]).toEqual({
          status: "error",
          response: { reason: "too many messages" },
        });
        expect(client.frames.length - errors.length).toBeGreaterThanOrEqual(5);
      },
      { messagesPerSecond: 1, messageBurst: 5, overRateMs: 200 },
    ));

  it("closes 1008 on more bytes than it may send", () =>
    served(
      async ({ url }) => {
        await using client = await rawClient(url);
        for (let n = 0; n < 4; n++)
          client.send([null, "1", "phoenix", "heartbeat", "x".repeat(3_000)]);
        expect(await client.closed()).toBe(1008);
      },
      { bytesPerSecond: 1_000, byteBurst: 10_000 },
    ));

  it("is closed 4001 when it has joined nothing in time, 1001 when it is silent (R76)", () =>
    served(
      async ({ url }) => {
        await using idle = await rawClient(url);
        await using lurker = await rawClient(url);
        await using lively = await rawClient(url);
        await idle.ask(["1", "1", "room:1", "phx_join", {}]);
        await lively.ask(["1", "1", "room:1", "phx_join", {}]);
        const beats = setInterval(() => lively.send([null, "1", "phoenix", "heartbeat", {}]), 50);
        try {
          expect(await lurker.closed()).toBe(4001);
          expect(await idle.closed()).toBe(1001);
          expect(lively.close).toBeUndefined();
        } finally {
          clearInterval(beats);
        }
      },
      { joinWithinMs: 400, idleMs: 600, messagesPerSecond: 1_000, messageBurst: 1_000 },
    ));

  it("answers control pings with their payload (L57)", () =>
    served(async ({ url }) => {
      await using client = await rawClient(url);
      const pongs: string[] = [];
      client.ws.on("pong", (payload) => pongs.push(String(payload)));
      client.ws.ping("marco");
      await until(() => pongs.length === 1);
      expect(pongs).toEqual(["marco"]);
    }));
});

describe("control frames", () => {
  it("disturb nobody: unasked pongs, pings between messages, and between the pieces of one (L53)", () =>
    served(async ({ url }) => {
      await using client = await rawClient(url);
      const pongs: string[] = [];
      client.ws.on("pong", (payload) => pongs.push(String(payload)));
      client.ws.pong("nobody asked");
      const [status] = [await client.ask(["1", "1", "room:1", "phx_join", {}])];
      expect(status).toEqual(["1", "1", "room:1", "phx_reply", { status: "ok", response: {} }]);
      const message = JSON.stringify(["1", "2", "room:1", "later", { ms: 5 }]);
      client.ws.send(message.slice(0, 9), { fin: false });
      client.ws.ping("one");
      client.ws.pong("nobody asked");
      client.ws.send(message.slice(9), { fin: true });
      client.ws.ping("two");
      const response = { after: 5 };
      expect(await client.next()).toEqual([
        ...["1", "2", "room:1", "phx_reply"],
        { status: "ok", response },
      ]);
      expect(pongs).toEqual(["one", "two"]);
      expect(client.close).toBeUndefined();
    }));
});

describe("a join", () => {
  it("is answered before anything of the topic, then comes what `joined` says (C30, C41, L2)", () =>
    served(async ({ url }) => {
      await using client = await rawClient(url);
      expect(await client.ask(["1", "1", "room:1", "phx_join", { as: "ann" }])).toEqual([
        "1",
        "1",
        "room:1",
        "phx_reply",
        { status: "ok", response: { as: "ann" } },
      ]);
      expect(await client.next()).toEqual([null, null, "room:1", "said", { text: "ann" }]);
    }));

  it("takes its ref for a join ref that is not there, and hands refs back as they came", () =>
    served(async ({ url }) => {
      await using client = await rawClient(url);
      expect(await client.ask([null, 5, "room:1", "phx_join", {}])).toEqual([
        null,
        5,
        "room:1",
        "phx_reply",
        { status: "ok", response: {} },
      ]);
      expect((await client.ask([5, 6, "room:1", "phx_leave", {}]))[4]).toMatchObject({
        status: "ok",
      });
      expect((await client.next())[3]).toBe("left");
      expect(await client.next()).toEqual([5, 5, "room:1", "phx_close", {}]);
    }));

  it("is refused with the reason, or crashes without one; nothing is joined then (C30, L27, L76)", () =>
    served(async ({ url, web }) => {
      await using client = await rawClient(url);
      for (const [topic, response] of [
        ["private", { reason: "unauthorized" }],
        [
          "broken",
          { reason: "join crashed", id: expect.stringMatching(/^[0-9a-z]{10}$/) as unknown },
        ],
      ] as const) {
        expect(await client.ask(["1", "1", topic, "phx_join", {}])).toEqual([
          "1",
          "1",
          topic,
          "phx_reply",
          { status: "error", response },
        ]);
        web.broadcast(topic, "secret", {});
        expect((await client.ask(["1", "2", topic, "say", {}]))[4]).toEqual({
          status: "error",
          response: { reason: "unmatched topic" },
        });
      }
    }));

  it("of one more than 100 topics is refused, and the others live (C6, L5)", () =>
    served(async ({ url }) => {
      await using client = await rawClient(url);
      for (let n = 1; n <= 100; n++) {
        const [, , , , reply] = await client.ask([`${n}`, `${n}`, `room:${n}`, "phx_join", {}]);
        expect(reply).toEqual({ status: "ok", response: {} });
      }
      expect(await client.ask(["x", "x", "room:x", "phx_join", {}])).toEqual([
        "x",
        "x",
        "room:x",
        "phx_reply",
        { status: "error", response: { reason: "too many channels joined" } },
      ]);
      await client.ask(["1", "l", "room:1", "phx_leave", {}]);
      expect([(await client.next())[3], (await client.next())[3]]).toEqual(["left", "phx_close"]);
      expect((await client.ask(["y", "y", "room:y", "phx_join", {}]))[4]).toMatchObject({
        status: "ok",
      });
    }));

  it("of a joined topic takes the old one's place: the new reply, then the old close (L23)", () =>
    served(async ({ url, web }) => {
      await using client = await rawClient(url);
      await client.ask(["1", "1", "room:1", "phx_join", {}]);
      expect((await client.ask(["2", "2", "room:1", "phx_join", {}])).slice(0, 4)).toEqual([
        "2",
        "2",
        "room:1",
        "phx_reply",
      ]);
      expect(await client.next()).toEqual(["1", "1", "room:1", "phx_close", {}]);
      web.broadcast("room:1", "said", { text: "once" });
      await until(() => client.frames.length > 0);
      expect((await client.ask(["2", "3", "room:1", "later", { ms: 1 }]))[3]).toBe("said");
      expect((await client.next())[1]).toBe("3");
    }));

  it("is paced: the error names the wait (R68)", () =>
    served(
      async ({ url }) => {
        await using client = await rawClient(url);
        for (let n = 1; n <= 3; n++) client.send([`${n}`, `${n}`, `room:${n}`, "phx_join", {}]);
        await until(() => client.frames.length === 3);
        const third = client.frames.find(([, ref]) => ref === "3");
        expect(third?.[4]).toMatchObject({
          status: "error",
          response: { reason: "too many joins" },
        });
      },
      { joinsPerSecond: 1, joinBurst: 2 },
    ));

  it("that fails again and again closes 1008 (R68)", () =>
    served(async ({ url }) => {
      await using client = await rawClient(url);
      for (let n = 1; n <= 10; n++)
        await client.ask(["1", "1", n % 2 ? "private" : "nowhere", "phx_join", {}]);
      expect(client.close).toBeUndefined();
      client.send(["1", "1", "nowhere", "phx_join", {}]);
      expect(await client.closed()).toBe(1008);
    }));
});
