import { describe, expect, it } from "vitest";
import { sleep, startSupervisor } from "../process/index.ts";
import { attach, type TelemetryEvent } from "../telemetry/index.ts";
import { simulate, testClient } from "../testing/index.ts";
import { Refused, endpoint, fields, type Endpoint } from "./index.ts";

interface Room {
  join(params: { readonly ms: number; readonly fails: string }): void;
  in: {
    work(payload: { readonly ms: number }): object;
    later(payload: { readonly ms: number }): object;
    refuse(payload: object): void;
    boom(payload: object): void;
  };
  out: { seen: { readonly n: number } };
}
interface Topics {
  "room:*": Room;
}

const web = endpoint<Topics, object>("web");
const room = web.channel("room:*", {
  schemas: {
    join: fields({ ms: "number", fails: "string" }),
    work: fields({ ms: "number" }),
    later: fields({ ms: "number" }),
    refuse: fields({}),
    boom: fields({}),
  },
  intercept: { seen: (payload) => payload },
  async join({ ms, fails }) {
    await sleep(ms);
    if (fails === "refused") throw new Refused({ reason: "no" });
    if (fails === "crash") throw new Error("join fails");
    return { assigns: {} };
  },
  on: {
    async work({ ms }) {
      await sleep(ms);
      return {};
    },
    later({ ms }, channel, later) {
      channel.after(ms, () => later.refuse({ reason: "too late" }));
      channel.after(2 * ms, () => later.reply({}));
      return later;
    },
    refuse() {
      throw new Refused({ reason: "no" });
    },
    boom() {
      throw new Error("boom");
    },
  },
});

const told = [
  "sluice.channels.connected",
  "sluice.channels.joined",
  "sluice.channels.handled",
  "sluice.channels.crashed",
  "sluice.channels.refused",
] as const satisfies readonly TelemetryEvent[];

/** Serves rooms, `connect` taking 30 ms, and hands over what was told since the last look. */
function served(
  body: (
    web: Endpoint<Topics, object>,
    events: () => unknown[][],
    loggedId: () => string | undefined,
  ) => Promise<void>,
  heard: readonly TelemetryEvent[] = told,
  seeds = 5,
): Promise<unknown> {
  return simulate(
    async () => {
      await using _app = await startSupervisor({
        strategy: "one_for_one",
        children: {
          web: web.child({
            port: 0,
            sockets: {
              "/socket": {
                async connect() {
                  await sleep(30);
                  return {};
                },
                channels: [room],
              },
            },
          }),
        },
      });
      let last = "";
      using _log = attach("sluice.log", ({ message }) => (last = message));
      const loggedId = (): string | undefined => /crashed \(error (\w+)\)/.exec(last)?.[1];
      using listeners = new DisposableStack();
      const events: unknown[][] = [];
      for (const event of heard)
        listeners.use(attach(event, (it) => events.push([event.split(".")[2], it])));
      await body(web, () => events.splice(0), loggedId);
    },
    { seeds },
  );
}
const of = { endpoint: "web", pattern: "room:*" };

describe("telemetry of channels", () => {
  it("tells of a connection how long it took, and of each join what became of it (C19, C21, C45)", () =>
    served(async (endpointOf, events, loggedId) => {
      await using client = await testClient(endpointOf, { params: { token: "x" } });
      const connected = { endpoint: "web", transport: "memory", version: "2.0.0", durationMs: 30 };
      expect(events()).toEqual([["connected", connected]]);
      await client.join("room:1", { ms: 20, fails: "" });
      expect(events()).toEqual([["joined", { ...of, status: "ok", durationMs: 20 }]]);
      await expect(client.join("room:2", { ms: 5, fails: "refused" })).rejects.toBeInstanceOf(
        Refused,
      );
      expect(events()).toEqual([["joined", { ...of, status: "error", durationMs: 5 }]]);
      await expect(client.join("room:3", { ms: 0, fails: "crash" })).rejects.toBeInstanceOf(
        Refused,
      );
      expect(events()).toEqual([
        ["crashed", { ...of, wasJoined: false, id: loggedId() }],
        ["joined", { ...of, status: "error", durationMs: 0 }],
      ]);
      await expect(client.join("other" as never, {} as never)).rejects.toBeInstanceOf(Refused);
      expect(events()).toEqual([["refused", { what: "message", reason: "unmatched topic" }]]);
    }));

  it("tells of each event that its channel knows when it was answered, at once or later, of one that it does not, which hurts nobody, and of a crash (C21, C45, L89)", () =>
    served(async (endpointOf, events, loggedId) => {
      await using client = await testClient(endpointOf);
      const topic = await client.join("room:1", { ms: 0, fails: "" });
      events();
      await topic.push("work", { ms: 40 });
      expect(events()).toEqual([
        ["handled", { ...of, event: "work", status: "ok", durationMs: 40 }],
      ]);
      await expect(topic.push("later", { ms: 70 })).rejects.toBeInstanceOf(Refused);
      await sleep(200);
      expect(events()).toEqual([
        ["handled", { ...of, event: "later", status: "error", durationMs: 70 }],
      ]);
      await expect(topic.push("refuse", {})).rejects.toBeInstanceOf(Refused);
      expect(events()).toEqual([
        ["refused", { what: "refuse on room:*", reason: "refused" }],
        ["handled", { ...of, event: "refuse", status: "error", durationMs: 0 }],
      ]);
      await expect(topic.push("work", { ms: "hunter2" as never })).rejects.toBeInstanceOf(Refused);
      expect(events()).toEqual([
        ["refused", { what: "work on room:*", reason: "invalid payload" }],
        ["handled", { ...of, event: "work", status: "error", durationMs: 0 }],
      ]);
      // A name that no contract has is no label.
      await expect(topic.push("hunter2" as never, {} as never)).rejects.toBeInstanceOf(Refused);
      expect(events()).toEqual([["refused", { what: "event on room:*", reason: "unknown event" }]]);
      const booming = topic.push("boom", {}, { withinMs: 100 }).catch(() => {});
      await topic.expectCrash();
      await booming;
      expect(events()).toEqual([["crashed", { ...of, wasJoined: true, id: loggedId() }]]);
    }));

  it("tells of each close by the server, and of each broadcast that a channel which is too busy to see it misses (C21)", () =>
    served(
      async (endpointOf, events) => {
        await using lurker = await testClient(endpointOf);
        await lurker.expectClose(4001, { withinMs: 20_000 });
        expect(events()).toEqual([["closed", { code: 4001, reason: "nothing was joined" }]]);
        await using client = await testClient(endpointOf);
        const topic = await client.join("room:1", { ms: 0, fails: "" });
        const working = topic.push("work", { ms: 100 });
        await sleep(10);
        for (let n = 1; n <= 10_002; n++) endpointOf.broadcast("room:1", "seen", { n });
        const missed = { pid: expect.stringMatching(/^channel room:\*#\d+$/) as string, count: 1 };
        expect(events()).toEqual([
          ["dropped", missed],
          ["dropped", missed],
        ]);
        await working;
        endpointOf.broadcast("room:1", "seen", { n: 0 });
        for (let n = 1; n <= 10_000; n++) await topic.expectBroadcast("seen", { n });
        await topic.expectBroadcast("seen", { n: 0 });
        await topic.expectNoBroadcast("seen");
      },
      ["sluice.channels.closed", "sluice.process.dropped"],
      1,
    ));

  it("tells whoever looks for it what a schema says of params and payloads, and nothing of what they were (R92)", () =>
    served(
      async (endpointOf, events) => {
        await using client = await testClient(endpointOf);
        const wrong = { ms: "hunter2", fails: 1 } as never;
        await expect(client.join("room:1", wrong)).rejects.toBeInstanceOf(Refused);
        const topic = await client.join("room:1", { ms: 0, fails: "" });
        await expect(topic.push("work", wrong)).rejects.toBeInstanceOf(Refused);
        const ms = { path: "ms", message: "expected a number" };
        const fails = { path: "fails", message: "expected a string" };
        expect(events()).toEqual([
          ["invalid", { ...of, event: "join", issues: [ms, fails] }],
          ["invalid", { ...of, event: "work", issues: [ms] }],
        ]);
      },
      ["sluice.channels.invalid"],
    ));

  it("says nothing of a join whose client did not wait", () =>
    served(async (endpointOf, events) => {
      const client = await testClient(endpointOf);
      const joining = client
        .join("room:1", { ms: 50, fails: "" }, { withinMs: 100 })
        .catch(() => {});
      await sleep(10);
      await client.close();
      await joining;
      expect(events().map(([event]) => event)).toEqual(["connected"]);
    }));

  it("does not measure what began before somebody listened", () =>
    served(async (endpointOf) => {
      await using client = await testClient(endpointOf);
      const topic = await client.join("room:1", { ms: 0, fails: "" });
      const working = topic.push("work", { ms: 40 });
      await sleep(10);
      const times: number[] = [];
      using _late = attach("sluice.channels.handled", ({ durationMs }) => times.push(durationMs));
      await working;
      await topic.push("work", { ms: 20 });
      expect(times).toEqual([20]);
    }, []));
});
