// What a server tells of its clients, over real connections: how they came and what became of it, and not a word of what
// they brought.
import { inspect } from "node:util";
import { startSupervisor, withSystem } from "sluice";
import { Refused, endpoint } from "sluice/channels";
import { attach } from "sluice/telemetry";
import { LongPoll, Socket, type SocketConnectOption } from "phoenix";
import * as v from "valibot";
import { expect, it } from "vitest";
import { everyEvent } from "../support/telemetry-events.ts";
import { hangUp, join, push, rawClient, until } from "./support/clients.ts";

interface Room {
  join(params: { readonly password: string }): { readonly answer: string };
  in: {
    say(payload: { readonly text: string }): { readonly answer: string };
    later(payload: object): { readonly answer: string };
    count(payload: { readonly n: number }): void;
    refuse(payload: object): void;
    boom(payload: object): void;
    unsendable(payload: object): object;
  };
  out: { said: { readonly text: string } };
}
interface Topics {
  "room:*": Room;
}

/** What must be nowhere. */
const secret = "hunter2";
const anything = v.looseObject({});

interface Told {
  readonly event: string;
  readonly it: unknown;
}

/** Serves rooms, and keeps all that is told while `body` runs. */
async function served(
  body: (url: string, web: ReturnType<typeof endpoint<Topics, object>>) => Promise<void>,
): Promise<readonly Told[]> {
  const web = endpoint<Topics, object>("web");
  const room = web.channel("room:*", {
    schemas: {
      join: v.object({ password: v.string() }),
      say: v.object({ text: v.pipe(v.string(), v.maxLength(20)) }),
      later: anything,
      // Its words quote what came.
      count: v.object({ n: v.number() }),
      refuse: anything,
      boom: anything,
      unsendable: anything,
    },
    join({ password }, { key }) {
      if (key === "closed") throw new Refused({ reason: password });
      if (key === "broken") throw new Error("join fails");
      return { assigns: { password }, reply: { answer: password } };
    },
    on: {
      say({ text }, channel) {
        channel.broadcast("said", { text });
        return { answer: text };
      },
      later: (_payload, channel, later) => {
        channel.after(5, () => later.reply({ answer: secret }));
        return later;
      },
      count() {},
      refuse() {
        throw new Refused({ reason: secret });
      },
      boom() {
        throw new Error("an event fails");
      },
      unsendable(payload) {
        const loop: { self?: object; payload: object } = { payload };
        loop.self = loop;
        return loop;
      },
    },
  });
  const told: Told[] = [];
  await withSystem(async () => {
    using listeners = new DisposableStack();
    for (const event of everyEvent)
      listeners.use(attach(event, (it) => void told.push({ event, it })));
    await using app = await startSupervisor({
      strategy: "one_for_one",
      children: {
        web: web.child({
          port: 0,
          sockets: {
            "/socket": {
              longPoll: { windowMs: 200 },
              connect({ refused, crash }) {
                if (refused !== undefined) throw new Refused({ reason: secret });
                if (crash !== undefined) throw new Error("connect fails");
                return { secret };
              },
              id: () => "everybody",
              channels: [room],
            },
          },
        }),
      },
    });
    const { url } = await app.children.web.call.address();
    await body(url, web);
  });
  return told;
}

const params = { password: secret, token: secret, _csrf_token: secret };

function stockSocket(url: string, options: Partial<SocketConnectOption>): Socket {
  const socket = new Socket(`${url.replace("http", "ws")}/socket`, {
    params,
    authToken: secret,
    timeout: 5_000,
    reconnectAfterMs: () => 60_000,
    rejoinAfterMs: () => 60_000,
    ...options,
  });
  socket.connect();
  return socket;
}

it("telemetry tells how clients came and what became of what they asked, by endpoint and pattern (L15, C19, C21, C45)", async () => {
  const told = await served(async (url) => {
    for (const socket of [
      stockSocket(url, {}),
      stockSocket(url, { transport: LongPoll, longpollerTimeout: 2_000 }),
    ]) {
      const { channel } = await join(socket, "room:1", { password: "open" });
      await push(channel, "say", { text: "hello" });
      await push(channel, "later");
      await hangUp(socket);
    }
    await using old = await rawClient(url, {}, `vsn=1.0.0&token=${secret}`);
    old.ws.send(
      JSON.stringify({ topic: "room:closed", event: "phx_join", payload: params, ref: "1" }),
    );
    await until(() => old.frames.length > 0);
  });
  const of = { endpoint: "web", pattern: "room:*" };
  const durationMs = expect.any(Number) as number;
  const all = (event: string): unknown[] =>
    told.filter((one) => one.event === event).map(({ it }) => it);
  const joins = all("sluice.channels.joined");
  const connections = all("sluice.channels.connected");
  expect(connections).toEqual([
    { endpoint: "web", transport: "websocket", version: "2.0.0", durationMs },
    { endpoint: "web", transport: "longpoll", version: "2.0.0", durationMs },
    { endpoint: "web", transport: "websocket", version: "1.0.0", durationMs },
  ]);
  expect(joins).toEqual([
    { ...of, status: "ok", durationMs },
    { ...of, status: "ok", durationMs },
    { ...of, status: "error", durationMs },
  ]);
  const handled = ["say", "later"].map((event) => ({ ...of, event, status: "ok", durationMs }));
  expect(all("sluice.channels.handled")).toEqual([...handled, ...handled]);
  for (const { durationMs: ms } of [...connections, ...joins] as { readonly durationMs: number }[])
    expect(ms).toBeGreaterThanOrEqual(0);
});

it("no token, password, cookie or payload is in a log or in telemetry, whatever is refused or crashes (L16, C20, R92)", async () => {
  const told = await served(async (url, web) => {
    const sockets = [stockSocket(url, {}), stockSocket(url, { transport: LongPoll })];
    for (const socket of sockets) {
      const { channel } = await join(socket, "room:1", { password: secret });
      for (const event of ["say", "later", "refuse", secret])
        await push(channel, event, { text: secret, [secret]: secret });
      await push(channel, "say", { text: `${secret}, and far more than may be said` });
      await push(channel, "count", { n: secret });
      for (const topic of ["room:closed", "room:broken", secret])
        await expect(join(socket, topic, { password: secret })).rejects.toThrow("refused");
      await expect(join(socket, "room:2", { password: [secret] })).rejects.toThrow("refused");
      for (const event of ["boom", "unsendable"]) {
        const { channel: other } = await join(socket, `room:${event}`, { password: secret });
        const crashed = new Promise((resolve) => other.onError(resolve));
        other.push(event, { text: secret });
        await crashed;
      }
    }
    expect(() => web.broadcast("room:nobody", "said", { text: secret })).not.toThrow();
    expect(() => web.broadcast("room:1", "said", { text: secret, n: 1n } as never)).toThrow(
      "cannot be written",
    );
    await hangUp(...sockets);
    const headers = { cookie: `session=${secret}`, authorization: `Bearer ${secret}` };
    for (const query of ["refused=1", "crash=1"])
      await expect(
        rawClient(url, { headers, origin: url }, `${query}&token=${secret}`),
      ).rejects.toThrow("refused: ");
    await expect(rawClient(url, { headers, origin: "http://elsewhere" })).rejects.toThrow("403");
    for (const frame of [
      secret,
      `["1","1","room:1","phx_join",{"password":"${secret}"`,
      JSON.stringify(["1", "1", secret, secret, "[".repeat(30_000)]),
      `["1","1","${secret}","${secret}",${"[".repeat(30_000)}${"]".repeat(30_000)}]`,
      Buffer.from(`\0${secret}`),
      secret.repeat(20_000),
    ]) {
      await using raw = await rawClient(url, { headers, origin: url }, `vsn=2.0.0&token=${secret}`);
      raw.ws.send(frame);
      await until(() => raw.frames.length > 0 || raw.close !== undefined);
    }
    await using last = await rawClient(url, { headers, origin: url });
    web.disconnect("everybody");
    await last.closed();
  });
  const events = new Set(told.map(({ event }) => event));
  for (const event of [
    "sluice.channels.connected",
    "sluice.channels.joined",
    "sluice.channels.handled",
    "sluice.channels.crashed",
    "sluice.channels.refused",
    "sluice.channels.closed",
    "sluice.process.exited",
    "sluice.pubsub.unreached",
    "sluice.log",
  ])
    expect(events).toContain(event);
  const shown = told.map((one) => inspect(one, { depth: Infinity, showHidden: true }));
  expect(shown.filter((text) => text.includes(secret))).toEqual([]);
});
