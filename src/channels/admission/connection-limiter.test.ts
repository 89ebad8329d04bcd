import { describe, expect, it } from "vitest";
import { startSupervisor } from "../../process/index.ts";
import { currentSystem } from "../../runtime/internal.ts";
import { simulate, type Simulation } from "../../testing/index.ts";
import { ConnectionLimiter, type Arrival } from "./connection-limiter.ts";
import { endpoint } from "../endpoint.ts";
import { limitsOf, type Limits } from "../limits.ts";
import { memoryTransport, type MemorySocket } from "../transport/memory-transport.ts";

interface World extends Simulation {
  readonly limiter: ConnectionLimiter;
  /** Who has entered, in order. */
  readonly entered: string[];
  readonly arrive: (remoteAddress: string) => string | undefined;
  /** The first of an address leaves. */
  readonly leave: (remoteAddress: string) => void;
}

function world(limits: Partial<Limits>, body: (world: World) => Promise<void>): Promise<unknown> {
  return simulate(
    async (simulation) => {
      const limiter = new ConnectionLimiter(currentSystem(), limitsOf(limits));
      const entered: string[] = [];
      const arrivals = new Map<string, Arrival>();
      const arrive = (remoteAddress: string): string | undefined => {
        const enter = (): void => void entered.push(remoteAddress);
        const arrival: Arrival = { remoteAddress, network: undefined, enter };
        arrivals.set(remoteAddress, arrivals.get(remoteAddress) ?? arrival);
        return limiter.acquire(arrival);
      };
      const leave = (remoteAddress: string): void => limiter.release(arrivals.get(remoteAddress)!);
      await body({ ...simulation, limiter, entered, arrive, leave });
      limiter.close();
    },
    { seeds: 1 },
  );
}

describe("ConnectionLimiter (R70)", () => {
  it("lets in at once what comes within the rate, and the rest in turn", () =>
    world({ connectionsPerSecond: 5 }, async ({ arrive, entered, advance }) => {
      for (let n = 0; n < 12; n++) expect(arrive(`10.0.0.${n}`)).toBeUndefined();
      expect(entered).toHaveLength(5);
      await advance(201);
      expect(entered).toHaveLength(6);
      await advance(2_000);
      expect(entered).toEqual(Array.from({ length: 12 }, (_, n) => `10.0.0.${n}`));
    }));

  it("refuses one more than there is room for, waiting or inside, until one has left", () =>
    world({ connectionsPerSecond: 1, maxConnections: 2 }, async ({ arrive, leave }) => {
      expect([arrive("10.0.0.1"), arrive("10.0.0.2")]).toEqual([undefined, undefined]);
      expect(arrive("10.0.0.3")).toBe("too many connections");
      leave("10.0.0.1");
      expect(arrive("10.0.0.3")).toBeUndefined();
    }));

  it("refuses too many of one address, but for loopback, which may be a proxy", () =>
    world({ maxConnectionsPerAddress: 2 }, async ({ arrive, leave }) => {
      expect([arrive("10.0.0.1"), arrive("10.0.0.1")]).toEqual([undefined, undefined]);
      expect(arrive("10.0.0.1")).toBe("too many connections from one address");
      expect(arrive("10.0.0.2")).toBeUndefined();
      leave("10.0.0.1");
      expect(arrive("10.0.0.1")).toBeUndefined();
      // When all have left, there is room for as many as before.
      for (let n = 0; n < 2; n++) leave("10.0.0.1");
      expect([arrive("10.0.0.1"), arrive("10.0.0.1")]).toEqual([undefined, undefined]);
      expect(arrive("10.0.0.1")).toBe("too many connections from one address");
      for (const address of ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
        for (let n = 0; n < 5; n++) expect(arrive(address)).toBeUndefined();
    }));

  it("asks nobody for an address where no address can have too many", () =>
    world({ maxConnections: 2, maxConnectionsPerAddress: 2 }, async ({ limiter }) => {
      const arrival = {
        get remoteAddress(): string {
          throw new Error("asked");
        },
        network: undefined,
        enter: () => {},
      };
      const acquire = (): string | undefined => limiter.acquire(arrival);
      expect([acquire(), acquire(), acquire()]).toEqual([
        undefined,
        undefined,
        "too many connections",
      ]);
      limiter.release(arrival);
      expect(acquire()).toBeUndefined();
    }));

  it("bounds its queue", () =>
    world({ connectionsPerSecond: 1, maxConnections: 5_000 }, async ({ arrive, limiter }) => {
      for (let n = 0; n < 1_001; n++) expect(arrive(`a${n}`)).toBeUndefined();
      expect(arrive("last")).toBe("too many new connections");
      const waiting: readonly Arrival[] = limiter.close();
      expect(waiting).toHaveLength(1_000);
    }));

  it("counts a network of IPv6 as one address, however its addresses are spelled", () =>
    world({ maxConnectionsPerAddress: 2 }, async ({ arrive, leave }) => {
      const two = ["2001:db8:1:2::1", "2001:db8:1:2:3:4:5:6"];
      for (const address of two) expect(arrive(address)).toBeUndefined();
      expect(arrive("2001:db8:1:2:ffff::")).toBe("too many connections from one address");
      for (const address of ["2001:db8:1:3::1", "2001:db8::1", "2001:db8::1:0:0:2", "::1:2:3:4:5"])
        expect(arrive(address)).toBeUndefined();
      expect(arrive("2001:db8:0:0:9::")).toBe("too many connections from one address");
      leave(two[0]!);
      expect(arrive("2001:db8:1:2:ffff::")).toBeUndefined();
    }));
});

it("who hangs up while it waits for its turn leaves its place (R70)", async () => {
  const web = endpoint<object>("web");
  const limits = { connectionsPerSecond: 2, maxConnections: 4 };
  const sockets = { "/socket": { connect: () => ({}), channels: [] } };
  await simulate(
    async ({ quiet, advance }) => {
      await using _app = await startSupervisor({
        strategy: "one_for_one",
        children: { web: web.child({ port: 4000, limits, sockets }) },
      });
      const Line = memoryTransport(currentSystem());
      const opened: Set<number> = new Set();
      const knock = (n: number): MemorySocket => {
        const line = new Line("ws://localhost/socket/websocket?vsn=2.0.0");
        line.onopen = () => opened.add(n);
        return line;
      };
      const [, , third, fourth] = [1, 2, 3, 4].map(knock);
      await quiet();
      expect(opened).toEqual(new Set([1, 2]));
      third!.close();
      fourth!.close();
      await advance(3_000);
      for (const n of [5, 6]) knock(n);
      await advance(3_000);
      expect(opened).toEqual(new Set([1, 2, 5, 6]));
    },
    { seeds: 3 },
  );
});
