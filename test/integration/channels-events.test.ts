// What stands on the wire, in Phoenix's words: a joined channel, by raw frames.
import { describe, expect, it } from "vitest";
import { rawClient, until } from "./support/clients.ts";
import { served } from "./support/rooms.ts";

describe("a channel", () => {
  it("sends what it broadcasts before its reply (C37, C42)", () =>
    served(async ({ url }) => {
      await using client = await rawClient(url);
      await client.ask(["1", "1", "room:1", "phx_join", {}]);
      expect(await client.ask(["1", "2", "room:1", "say", { text: "hi" }])).toEqual([
        null,
        null,
        "room:1",
        "said",
        { text: "hi" },
      ]);
      expect(await client.next()).toEqual([
        "1",
        "2",
        "room:1",
        "phx_reply",
        { status: "ok", response: { text: "hi" } },
      ]);
    }));

  it("pushes to its own client alone, with the ref of its join (C36)", () =>
    served(async ({ url, web }) => {
      await using ann = await rawClient(url);
      await using bob = await rawClient(url);
      for (const [client, ref] of [
        [ann, "7"],
        [bob, "8"],
      ] as const)
        await client.ask([ref, ref, "room:1", "phx_join", {}]);
      await ann.ask(["7", "9", "room:1", "phx_leave", {}]);
      expect(await ann.next()).toEqual(["7", null, "room:1", "left", {}]);
      web.broadcast("room:1", "said", { text: "to all" });
      expect((await bob.next())[4]).toEqual({ text: "to all" });
    }));

  it("leaves itself out of broadcastFrom (C38)", () =>
    served(async ({ url }) => {
      await using ann = await rawClient(url);
      await using bob = await rawClient(url);
      for (const client of [ann, bob]) await client.ask(["1", "1", "room:1", "phx_join", {}]);
      expect((await ann.ask(["1", "2", "room:1", "whisper", { text: "psst" }]))[3]).toBe(
        "phx_reply",
      );
      expect((await bob.next())[4]).toEqual({ text: "psst" });
      expect(ann.frames).toEqual([]);
    }));

  it("replies later, and meanwhile hears others (C39)", () =>
    served(async ({ url }) => {
      await using client = await rawClient(url);
      await client.ask(["1", "1", "room:1", "phx_join", {}]);
      client.send(["1", "slow", "room:1", "later", { ms: 60 }]);
      client.send(["1", "quick", "room:1", "later", { ms: 1 }]);
      expect((await client.next())[1]).toBe("quick");
      expect(await client.next()).toEqual([
        "1",
        "slow",
        "room:1",
        "phx_reply",
        { status: "ok", response: { after: 60 } },
      ]);
    }));

  it("drops what another join ref sent, and hears what none did (L125, R60, R74)", () =>
    served(async ({ url }) => {
      await using client = await rawClient(url);
      await client.ask(["1", "1", "room:1", "phx_join", {}]);
      client.send(["0", "stale", "room:1", "later", { ms: 1 }]);
      client.send(["0", "stale", "room:1", "phx_leave", {}]);
      expect((await client.ask([null, "ok", "room:1", "later", { ms: 1 }]))[1]).toBe("ok");
    }));

  it("that crashes is told by phx_error alone: no reply, no reason, nobody else (C46, L17)", () =>
    served(async ({ url }) => {
      await using client = await rawClient(url);
      await client.ask(["1", "1", "room:1", "phx_join", {}]);
      await client.ask(["2", "2", "room:2", "phx_join", {}]);
      for (const [event, ref] of [
        ["boom", "3"],
        ["circular", "4"],
      ] as const) {
        expect(await client.ask([null, ref, "room:1", event, {}])).toEqual([
          ref === "3" ? "1" : "9",
          ref === "3" ? "1" : "9",
          "room:1",
          "phx_error",
          { reason: "channel_crash", id: expect.stringMatching(/^[0-9a-z]{10}$/) as unknown },
        ]);
        await client.ask(["9", "9", "room:1", "phx_join", {}]);
      }
      expect((await client.ask(["2", "5", "room:2", "later", { ms: 1 }]))[1]).toBe("5");
    }));

  it("that stops is closed after its reply (C31, L27)", () =>
    served(async ({ url }) => {
      await using client = await rawClient(url);
      await client.ask(["1", "1", "room:1", "phx_join", {}]);
      expect((await client.ask(["1", "2", "room:1", "quit", {}]))[3]).toBe("phx_reply");
      expect((await client.next())[3]).toBe("left");
      expect(await client.next()).toEqual(["1", "1", "room:1", "phx_close", {}]);
      expect((await client.ask(["1", "3", "room:1", "say", { text: "" }]))[4]).toMatchObject({
        response: { reason: "unmatched topic" },
      });
    }));

  it("is left: the reply, what `leave` pushes, the close; then it hears nothing (L4, L85)", () =>
    served(async ({ url, web }) => {
      await using client = await rawClient(url);
      await client.ask(["1", "1", "room:1", "phx_join", {}]);
      expect((await client.ask(["1", "2", "room:1", "phx_leave", {}]))[4]).toEqual({
        status: "ok",
        response: {},
      });
      expect(await client.next()).toEqual(["1", null, "room:1", "left", {}]);
      expect(await client.next()).toEqual(["1", "1", "room:1", "phx_close", {}]);
      web.broadcast("room:1", "said", { text: "gone" });
      expect(await client.ask(["1", "3", "room:1", "phx_leave", {}])).toEqual([
        "1",
        "3",
        "room:1",
        "phx_reply",
        { status: "ok", response: {} },
      ]);
    }));

  it("refuses an event, and one it does not know (C31)", () =>
    served(async ({ url }) => {
      await using client = await rawClient(url);
      await client.ask(["1", "1", "room:1", "phx_join", {}]);
      expect((await client.ask(["1", "2", "room:1", "refuse", {}]))[4]).toEqual({
        status: "error",
        response: { reason: "no" },
      });
      for (const event of ["nothing", "constructor", "__proto__", "toString", ""])
        expect((await client.ask(["1", "3", "room:1", event, {}]))[4]).toEqual({
          status: "error",
          response: { reason: "unknown event" },
        });
    }));

  it("refuses more events than a channel may leave open, and is heard and answered all the while (R69, L129)", () =>
    served(
      async ({ url }) => {
        await using client = await rawClient(url);
        await client.ask(["1", "1", "room:1", "phx_join", {}]);
        await client.ask(["2", "1", "room:2", "phx_join", {}]);
        for (const ref of ["a", "b"]) client.send(["1", ref, "room:1", "later", { ms: 600 }]);
        for (const ref of ["c", "d"]) {
          const refusal = { status: "error", response: { reason: "too many unfinished" } };
          const answer = await client.ask(["1", ref, "room:1", "later", { ms: 1 }]);
          expect(answer).toEqual(["1", ref, "room:1", "phx_reply", refusal]);
        }
        const ok = { status: "ok" };
        expect((await client.ask([null, "h", "phoenix", "heartbeat", {}]))[4]).toMatchObject(ok);
        expect((await client.ask(["2", "e", "room:2", "later", { ms: 1 }]))[4]).toMatchObject(ok);
        expect([(await client.next())[1], (await client.next())[1]]).toEqual(["a", "b"]);
        // Who has answered has room again.
        expect((await client.ask(["1", "f", "room:1", "later", { ms: 1 }]))[4]).toMatchObject(ok);
      },
      { maxUnfinishedPushes: 2 },
    ));

  it("takes a whole burst for one channel, whose handlers answer in their order (R69)", () =>
    served(async ({ url }) => {
      await using client = await rawClient(url);
      await client.ask(["1", "1", "room:1", "phx_join", {}]);
      for (let n = 1; n < 200; n++) client.send(["1", `${n}`, "room:1", "later", { ms: 50 }]);
      await until(() => client.frames.length === 199);
      for (const [at, frame] of client.frames.entries())
        expect([frame[1], frame[4]]).toMatchObject([`${at + 1}`, { status: "ok" }]);
    }));

  it("keeps names that objects inherit apart from names (R63)", () =>
    served(async ({ url }) => {
      await using client = await rawClient(url);
      for (const key of ["__proto__", "constructor", "toString", ""]) {
        const topic = `room:${key}`;
        expect((await client.ask([key, key, topic, "phx_join", {}]))[4]).toMatchObject({
          status: "ok",
        });
        const text = '{"__proto__":{"polluted":true},"text":"x"}';
        expect((await client.ask(`["${key}","s","${topic}","say",${text}]`))[3]).toBe("said");
        await client.next();
      }
      expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    }));
});
