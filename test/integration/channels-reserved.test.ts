// The key of a payload that is the runtime's, and the events of the protocol: no program, and no client, speaks in their name.
import { describe, expect, it } from "vitest";
import { startSupervisor, withSystem } from "sluice";
import { endpoint, type Endpoint } from "sluice/channels";
import { pubsub } from "sluice/pubsub";
import { attach } from "sluice/telemetry";
import { memoryHub } from "sluice/testing";
import { rawClient, type RawClient } from "./support/clients.ts";

interface Room {
  join(params: object): object;
  in: { say(payload: object): object; tell(payload: object): object };
  out: { said: object; told: object; shown: object };
}
interface Topics {
  room: Room;
  log: Room & { readonly history: true };
}

const topics = ["room", "log"] as const;
const refused = {
  code: "SLUICE_PAYLOAD_REFUSED",
  why: 'its key "~" is the runtime\'s',
};

function codeOf(error: unknown): object {
  const { code, details } = error as typeof refused & {
    readonly details: { readonly why: string };
  };
  return { code, why: details.why };
}

/** What is thrown, to whoever asks. */
function tried(speak: () => void): object {
  try {
    speak();
    return {};
  } catch (error) {
    return codeOf(error);
  }
}

function served(
  body: (web: Endpoint<Topics, {}>, client: RawClient) => Promise<void>,
): Promise<unknown> {
  return withSystem(async () => {
    const web = endpoint<Topics>("web");
    const common = {
      schemas: "trusted",
      join: (params: object) => ({ assigns: {}, reply: params }),
      intercept: { shown: () => ({ "~": { offset: 7 } }) },
    } as const;
    const room = web.channel("room", {
      ...common,
      on: {
        say: (payload, channel) => tried(() => channel.broadcast("said", payload)),
        tell: (payload, channel) => tried(() => channel.push("told", payload)),
      },
    });
    const log = web.channel("log", {
      ...common,
      history: {},
      on: {
        say: (payload, channel) => tried(() => channel.broadcast("said", payload)),
        tell: (payload, channel) => tried(() => channel.push("told", payload)),
      },
    });
    await using app = await startSupervisor({
      strategy: "one_for_one",
      children: {
        web: web.child({
          port: 0,
          sockets: { "/socket": { connect: () => ({}), channels: [room, log] } },
        }),
      },
    });
    await using client = await rawClient((await app.children.web.call.address()).url);
    await body(web, client);
  });
}

const spoof = { text: "hi", "~": { offset: 1_000, receipt: 1 } };

describe.each(topics)('on the topic %s, "~" of a payload', (topic) => {
  it("is refused to whoever broadcasts or pushes it; nobody gets any of it", () =>
    served(async (web, client) => {
      await client.ask(["1", "1", topic, "phx_join", {}]);
      for (const event of ["say", "tell"])
        expect((await client.ask(["1", "2", topic, event, spoof]))[4]).toEqual({
          status: "ok",
          response: refused,
        });
      // One that is written as another, and one that looks like the key in the text alone.
      const disguised = { toJSON: () => spoof };
      for (const payload of [spoof, disguised, { "~": undefined }])
        expect(tried(() => web.broadcast(topic, "said", payload))).toEqual(refused);
      web.broadcast(topic, "said", { '"~":': "~", deep: { "~": 1 } });
      const [joinRef, , , event, payload] = await client.next();
      expect([joinRef, event, payload]).toEqual([
        null,
        "said",
        { '"~":': "~", deep: { "~": 1 }, ...(topic === "log" && { "~": { offset: 1 } }) },
      ]);
    }));

  it("is refused as the response to a join", () =>
    served(async (_web, client) => {
      using _quiet = attach("sluice.log", () => {});
      const [, , , , answer] = await client.ask(["1", "1", topic, "phx_join", spoof]);
      expect(answer).toMatchObject({ status: "error", response: { reason: "join crashed" } });
    }));

  it("is refused as what an interceptor makes of a broadcast", () =>
    served(async (web, client) => {
      const told: unknown[] = [];
      using _told = attach("sluice.log", ({ details }) => told.push(details));
      await client.ask(["1", "1", topic, "phx_join", {}]);
      web.broadcast(topic, "shown", { text: "hi" });
      expect((await client.next())[3]).toBe("phx_error");
      expect(JSON.stringify(told)).toContain("SLUICE_PAYLOAD_REFUSED");
    }));
});

it("publish rejects it", () =>
  served(async (web) => {
    const error: unknown = await web.publish("log", "said", spoof).then(
      () => undefined,
      (cause: unknown) => cause,
    );
    expect(codeOf(error)).toEqual(refused);
  }));

const ofTheProtocol = { code: "SLUICE_PAYLOAD_REFUSED", why: "its event is the protocol's" };

describe.each(["phx_close", "phx_error", "phx_reply", "phx_else", "~place"])(
  "the event %s, which clients take for a word of their server (L126)",
  (event) => {
    interface Any {
      readonly in: { say(payload: object): object };
      readonly out: { readonly [event: string]: object };
    }
    it.each([{}, new Uint8Array([1])])("is refused to whoever says it, with %o", (payload) =>
      withSystem(async () => {
        const web = endpoint<{ room: Any; log: Any & { readonly history: true } }>("web");
        const common = { schemas: "trusted", join: () => ({ assigns: {} }) } as const;
        const room = web.channel("room", {
          ...common,
          on: {
            say: (_payload, channel) => ({
              push: tried(() => channel.push(event, payload)),
              broadcast: tried(() => channel.broadcast(event, payload)),
              others: tried(() => channel.broadcastFrom(event, payload)),
            }),
          },
        });
        const log = web.channel("log", { ...common, history: {}, on: { say: () => ({}) } });
        const sockets = { "/socket": { connect: () => ({}), channels: [room, log] } };
        await using app = await startSupervisor({
          strategy: "one_for_one",
          children: { web: web.child({ port: 0, sockets }) },
        });
        await using client = await rawClient((await app.children.web.call.address()).url);
        for (const topic of ["room", "log"] as const) {
          await client.ask(["1", "1", topic, "phx_join", {}]);
          expect(tried(() => web.broadcast(topic, event, payload))).toEqual(ofTheProtocol);
        }
        const [, , , , said] = await client.ask(["1", "2", "room", "say", {}]);
        const refusals = { push: ofTheProtocol, broadcast: ofTheProtocol, others: ofTheProtocol };
        expect(said).toEqual({ status: "ok", response: refusals });
        const published: unknown = await web.publish("log", event, payload).catch(codeOf);
        expect(published).toEqual(ofTheProtocol);
      }),
    );
  },
);

it("an event of the protocol that comes from a broker is told to no client, and logged; what follows is heard (L126, R58)", () =>
  withSystem(async () => {
    const logs: string[] = [];
    using _log = attach("sluice.log", ({ message }) => void logs.push(message));
    const hub = memoryHub();
    const web = endpoint<Pick<Topics, "room">>("web");
    const room = web.channel("room", {
      schemas: "trusted",
      join: () => ({ assigns: {}, reply: {} }),
      on: { say: () => ({}), tell: () => ({}) },
    });
    const sockets = { "/socket": { connect: () => ({}), channels: [room] } };
    await using app = await startSupervisor({
      strategy: "one_for_one",
      children: { bus: pubsub({ adapter: hub.adapter }), web: web.child({ port: 0, sockets }) },
    });
    await using client = await rawClient((await app.children.web.call.address()).url);
    await client.ask(["1", "1", "room", "phx_join", {}]);
    const stranger = await hub.adapter.connect(
      { message() {}, lost() {} },
      new AbortController().signal,
    );
    const envelope = JSON.stringify([1, "x", 1, "broadcast", "channel:web:room"]);
    const events = ["phx_close", "phx_error", "phx_reply", "~place"];
    for (const event of [...events, "said"])
      for (const payload of ["{}", "=AQ=="])
        await stranger.publish(
          "t/channel:web:room",
          `${envelope}\n${JSON.stringify(["room", event])}\n${payload}`,
        );
    expect(await client.next()).toEqual([null, null, "room", "said", {}]);
    const failed = 'a message of another node on "channel:web:room" failed';
    expect(logs).toEqual(Array.from({ length: events.length * 2 }, () => failed));
    await stranger.close();
  }));
