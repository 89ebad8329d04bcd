// When a connection's rights end, on the simulated Runtime.
import { describe, expect, it } from "vitest";
import { sleep, startSupervisor, type Context } from "../../process/index.ts";
import { currentSystem } from "../../runtime/internal.ts";
import { attach } from "../../telemetry/index.ts";
import { simulate, type Simulation } from "../../testing/index.ts";
import { endpoint } from "../endpoint.ts";
import type { SocketOptions } from "../endpoint-options.ts";
import type { Limits } from "../limits.ts";
import { memoryTransport, type MemoryTransport } from "../transport/memory-transport.ts";
import { Refused } from "../refused.ts";

interface User {
  readonly name: string;
}
type Rules = Pick<SocketOptions<User>, "lifetimeMs" | "revalidate" | "revalidateMs">;

const now = (): number => currentSystem().runtime.now();

/** A client that says a heartbeat every second, and when it was closed with what. */
class Client {
  closed: { readonly code: number; readonly reason: string; readonly atMs: number } | undefined;
  beats = 0;
  readonly socket: InstanceType<MemoryTransport>;
  constructor(name: string) {
    const url = `ws://localhost/socket/websocket?vsn=2.0.0&name=${name}`;
    const socket = (this.socket = new (memoryTransport())(url));
    const beat = (): void => {
      if (this.closed !== undefined) return;
      socket.send(JSON.stringify([null, "1", "phoenix", "heartbeat", {}]));
      void sleep(1_000).then(beat);
    };
    socket.onopen = () => {
      socket.send(JSON.stringify(["1", "1", "lobby", "phx_join", {}]));
      beat();
    };
    socket.onmessage = () => void this.beats++;
    socket.onclose = ({ code, reason }) => (this.closed = { code, reason, atMs: now() });
  }
}

interface World extends Simulation {
  readonly client: (name?: string) => Client;
}

function world(
  rules: Rules,
  body: (world: World) => Promise<void>,
  limits: Partial<Limits> = {},
): Promise<unknown> {
  return simulate(
    async (simulation) => {
      const web = endpoint<{ lobby: object }, User>("web");
      const lobby = web.channel("lobby", { join: () => ({ assigns: {} }) });
      const connect = ({ name = "" }): User => ({ name });
      const many = { maxConnectionsPerAddress: 10_000, connectionsPerSecond: 10_000 };
      await using _app = await startSupervisor({
        strategy: "one_for_one",
        children: {
          web: web.child({
            port: 4000,
            limits: { ...many, ...limits },
            sockets: { "/socket": { connect, channels: [lobby], ...rules } },
          }),
        },
      });
      const clients: Client[] = [];
      const client = (name = "ann"): Client => {
        clients.push(new Client(name));
        return clients.at(-1)!;
      };
      await body({ ...simulation, client });
      for (const { socket } of clients) socket.close();
      await simulation.advance(2_000);
    },
    { seeds: 3 },
  );
}

const refusesBob = async ({ name }: User): Promise<void> => {
  await sleep(50);
  if (name === "bob") throw new Refused({ reason: "gone" });
};

describe("lifetimeMs", () => {
  it("ends a connection when its time is up, at most a second late, with 4003", () =>
    world(
      { lifetimeMs: ({ name }) => (name === "bob" ? 10_000 : Infinity) },
      async ({ client, advance }) => {
        const started = now();
        const [bob, ann] = [client("bob"), client("ann")];
        await advance(9_900);
        expect(bob.closed).toBeUndefined();
        await advance(1_600);
        expect(bob.closed).toMatchObject({ code: 4003 });
        expect(bob.closed!.atMs - started).toBeGreaterThanOrEqual(10_000);
        await advance(3_600_000);
        expect(ann.closed).toBeUndefined();
      },
    ));

  it("refuses whoever has no time left, and what is no number", async () => {
    using _logs = attach("sluice.log", () => {});
    for (const left of [0, -1, -Infinity, NaN, "1000"])
      await world({ lifetimeMs: () => left as number }, async ({ client, advance }) => {
        const late = client();
        await advance(1_000);
        expect(late.closed).toMatchObject({ code: 1006 });
        expect(late.beats).toBe(0);
      });
  });
});

describe("revalidate", () => {
  it("ends those that it refuses with 4003, within its interval, and no other", () =>
    world({ revalidate: refusesBob, revalidateMs: 60_000 }, async ({ client, advance }) => {
      const started = now();
      const [bob, ann] = [client("bob"), client("ann")];
      await advance(62_000);
      expect(bob.closed).toMatchObject({ code: 4003 });
      expect(bob.closed!.atMs - started).toBeGreaterThanOrEqual(48_000);
      await advance(600_000);
      expect(ann.closed).toBeUndefined();
    }));

  it("looks every 30 minutes when nothing is said, and goes on looking", async () => {
    let looks = 0;
    await world({ revalidate: () => void looks++ }, async ({ client, advance }) => {
      looks = 0;
      const ann = client();
      await advance(1_400_000);
      expect(looks).toBe(0);
      await advance(500_000);
      expect(looks).toBe(1);
      await advance(4_000_000);
      expect(looks).toBeGreaterThanOrEqual(3);
      expect(ann.closed).toBeUndefined();
    });
  });

  it("that is slow lets heartbeats through, and ends the connection when it takes too long", () => {
    let aborted = 0;
    const hangs = (_user: User, { signal }: Context): Promise<void> => {
      signal.addEventListener("abort", () => aborted++);
      return new Promise(() => {});
    };
    return world({ revalidate: hangs, revalidateMs: 10_000 }, async ({ client, advance }) => {
      aborted = 0;
      const ann = client();
      await advance(10_500);
      const { beats } = ann;
      await advance(5_000);
      expect(ann.beats - beats).toBeGreaterThanOrEqual(4);
      expect(ann.closed).toBeUndefined();
      await advance(8_000);
      expect(ann.closed).toMatchObject({ code: 4003, reason: "revalidate took too long" });
      expect(aborted).toBe(1);
    });
  });

  it("that crashes ends the connection with 4003, says so in the log, and tells the client nothing (R91)", async () => {
    const logged: unknown[] = [];
    using _logs = attach("sluice.log", ({ details }) => logged.push(details));
    const crashes = (): void => {
      throw new Error("a secret");
    };
    await world({ revalidate: crashes, revalidateMs: 10_000 }, async ({ client, advance }) => {
      logged.length = 0;
      const ann = client();
      await advance(12_000);
      expect(ann.closed).toMatchObject({ code: 4003, reason: "revalidate crashed" });
      expect(logged).toEqual([new Error("a secret")]);
    });
  });

  it("runs for so many at a time, and for all in the end, in the order in which their turn came", () => {
    let running = 0;
    let most = 0;
    const looked = new Map<string, number>();
    const revalidate = async ({ name }: User): Promise<void> => {
      most = Math.max(most, ++running);
      looked.set(name, (looked.get(name) ?? 0) + 1);
      await sleep(1_000);
      running--;
    };
    return world(
      { revalidate, revalidateMs: 10_000 },
      async ({ client, advance }) => {
        [running, most] = [0, 0];
        looked.clear();
        const clients = Array.from({ length: 100 }, (_, n) => client(`n${n}`));
        // 100 of a second each, 5 at a time: a round takes 20 s, though 10 s were asked for; nobody starves.
        await advance(75_000);
        expect(most).toBe(5);
        const counts = clients.map((_, n) => looked.get(`n${n}`) ?? 0);
        expect(Math.min(...counts)).toBeGreaterThanOrEqual(2);
        expect(Math.max(...counts)).toBeLessThanOrEqual(Math.min(...counts) + 1);
        expect(clients.filter(({ closed }) => closed !== undefined)).toEqual([]);
      },
      { maxRevalidations: 5 },
    );
  });

  it("is not asked about all at once where they came together", () => {
    const at: number[] = [];
    const revalidate = (): void => void at.push(now());
    return world({ revalidate, revalidateMs: 100_000 }, async ({ client, advance }) => {
      at.length = 0;
      for (let n = 0; n < 40; n++) client();
      await advance(102_000);
      const first = at.slice(0, 40);
      expect(first.length).toBe(40);
      const perSecond = Map.groupBy(first, (ms) => Math.floor(ms / 1_000));
      expect(Math.max(...[...perSecond.values()].map(({ length }) => length))).toBeLessThan(12);
      expect(Math.max(...first) - Math.min(...first)).toBeGreaterThan(12_000);
    });
  });
});
