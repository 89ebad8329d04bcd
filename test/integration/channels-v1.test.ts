// Version 1 of the protocol, by raw frames.
import { describe, expect, it } from "vitest";
import { rawClient, type RawClient } from "./support/clients.ts";
import { served } from "./support/rooms.ts";

/** A message as it stands on the wire. */
interface Message {
  readonly topic: string;
  readonly event: string;
  readonly payload: unknown;
  readonly ref: unknown;
  readonly join_ref?: unknown;
}

const send = (client: RawClient, message: Message): void => client.send(JSON.stringify(message));
const next = async (client: RawClient): Promise<Message> =>
  (await client.next()) as unknown as Message;
const ask = (client: RawClient, message: Message): Promise<Message> => {
  send(client, message);
  return next(client);
};
const of = (topic: string, event: string, ref: unknown, payload: unknown = {}): Message => ({
  topic,
  event,
  payload,
  ref,
});
const reply = (topic: string, ref: unknown, status: string, response: unknown): Message =>
  of(topic, "phx_reply", ref, { status, response });

describe("a client of version 1 (C14)", () => {
  it("speaks in objects, and is never told a join ref (L1, L60, L68)", () =>
    served(async ({ url, web }) => {
      // A version that is not said is version 1.
      for (const query of ["vsn=1.0.0", ""]) {
        await using client = await rawClient(url, {}, query);
        expect(await ask(client, of("phoenix", "heartbeat", "1"))).toEqual(
          reply("phoenix", "1", "ok", {}),
        );
        expect(await ask(client, of("room:1", "phx_join", "2"))).toEqual(
          reply("room:1", "2", "ok", {}),
        );
        web.broadcast("room:1", "said", { text: "hi" });
        expect(await next(client)).toEqual(of("room:1", "said", null, { text: "hi" }));
        expect(await ask(client, of("room:1", "refuse", 3))).toEqual(
          reply("room:1", 3, "error", { reason: "no" }),
        );
        expect(await ask(client, of("room:2", "say", "4"))).toEqual(
          reply("room:2", "4", "error", { reason: "unmatched topic" }),
        );
        expect(await ask(client, of("room:1", "phx_leave", "5"))).toEqual(
          reply("room:1", "5", "ok", {}),
        );
        expect(await next(client)).toEqual(of("room:1", "left", null));
        expect(await next(client)).toEqual(of("room:1", "phx_close", null));
      }
    }));

  it("may name its joins: then what is of an earlier one is stale, and the end says which", () =>
    served(async ({ url }) => {
      await using client = await rawClient(url, {}, "vsn=1.0.0");
      const join = (joinRef: string): Message => ({
        ...of("room:1", "phx_join", joinRef),
        join_ref: joinRef,
      });
      expect(await ask(client, join("1"))).toEqual(reply("room:1", "1", "ok", {}));
      expect(await ask(client, join("2"))).toEqual(reply("room:1", "2", "ok", {}));
      expect(await next(client)).toEqual(of("room:1", "phx_close", "1"));
      send(client, { ...of("room:1", "refuse", "3"), join_ref: "1" });
      expect(await ask(client, of("room:1", "boom", "4"))).toEqual(
        of("room:1", "phx_error", "2", {
          reason: "channel_crash",
          id: expect.any(String) as string,
        }),
      );
    }));

  it("is closed 1011 over what is no message of its version", () =>
    served(async ({ url }) => {
      for (const frame of [
        '["1","1","room:1","phx_join",{}]',
        '{"topic":"phoenix","event":"heartbeat","ref":"1"}',
        "{",
        "",
      ]) {
        await using client = await rawClient(url, {}, "vsn=1.0.0");
        client.send(frame);
        expect([frame, await client.closed()]).toEqual([frame, 1011]);
      }
      await using binary = await rawClient(url, {}, "vsn=1.0.0");
      binary.ws.send(Buffer.from([0, 0, 1, 7, 9, 1]));
      expect(await binary.closed()).toBe(1011);
    }));
});

describe("a WebSocket of either version", () => {
  it("may have another number of channels (L6, C6)", () =>
    served(
      async ({ url }) => {
        await using client = await rawClient(url);
        await client.ask(["1", "1", "room:1", "phx_join", {}]);
        expect(await client.ask(["2", "2", "room:2", "phx_join", {}])).toEqual([
          "2",
          "2",
          "room:2",
          "phx_reply",
          { status: "error", response: { reason: "too many channels joined" } },
        ]);
      },
      { maxChannels: 1 },
    ));

  it("is not compressed, and takes no message of many small pieces (C3, R64)", () =>
    served(async ({ url }) => {
      await using client = await rawClient(url, { perMessageDeflate: true });
      expect(client.ws.extensions).toBe("");
      for (let n = 0; n < 1_000; n++) client.ws.send("x", { fin: false });
      expect(await client.closed()).toBe(1008);
      await using whole = await rawClient(url);
      const frame = '[null,"1","phoenix","heartbeat",{}]';
      for (const piece of frame.slice(0, -1)) whole.ws.send(piece, { fin: false });
      whole.ws.send("]", { fin: true });
      expect((await whole.next())[1]).toBe("1");
    }));

  it("is closed when it says nothing more, after its heartbeats were answered (L25)", () =>
    served(
      async ({ url }) => {
        await using client = await rawClient(url);
        await client.ask(["1", "1", "room:1", "phx_join", {}]);
        expect(await client.ask([null, "2", "phoenix", "heartbeat", {}])).toEqual([
          null,
          "2",
          "phoenix",
          "phx_reply",
          { status: "ok", response: {} },
        ]);
        // Each begins its time anew.
        for (let n = 0; n < 8; n++) {
          await new Promise((resolve) => setTimeout(resolve, 100));
          expect((await client.ask([null, `${n}`, "phoenix", "heartbeat", {}]))[1]).toBe(`${n}`);
        }
        const started = performance.now();
        expect(await client.closed()).toBe(1001);
        const tookMs = performance.now() - started;
        expect(tookMs).toBeGreaterThan(300);
        expect(tookMs).toBeLessThan(2_000);
      },
      { idleMs: 400 },
    ));

  it("that is disconnected by its id ends with all its channels: 1001 (C8, C9, L22, L63)", () =>
    served(async ({ url, web }) => {
      await using witness = await rawClient(url);
      await using client = await rawClient(url, {}, "vsn=2.0.0&id=ann");
      await using other = await rawClient(url, {}, "vsn=2.0.0&id=ann");
      for (const one of [witness, client, other])
        for (const n of [1, 2]) await one.ask(["1", "1", `room:${n}`, "phx_join", {}]);
      web.disconnect("nobody");
      expect((await client.ask([null, "2", "phoenix", "heartbeat", {}]))[1]).toBe("2");
      web.disconnect("ann");
      expect([await client.closed(), await other.closed()]).toEqual([1001, 1001]);
      expect((await witness.ask(["1", "2", "room:1", "say", { text: "here" }]))[3]).toBe("said");
    }));
});
