import { describe, expect, it } from "vitest";
import { startSupervisor } from "../process/index.ts";
import { attach } from "../telemetry/index.ts";
import { simulate, testClient } from "../testing/index.ts";
import { endpoint } from "./index.ts";
import { defaultLimits } from "./limits.ts";

interface Topics {
  "room:*": { in: { work(payload: object): object }; out: { news: { readonly text: string } } };
}
const web = endpoint<Topics, object>("web");
const room = web.channel("room:*", {
  schemas: "trusted",
  join: () => ({ assigns: {} }),
  on: { work: () => ({}) },
});
const mount = { connect: () => ({}), channels: [room] };
const sockets = { "/socket": mount };
/** Options that a compiler would refuse. */
const child = (options: object): unknown => web.child({ port: 0, sockets, ...options });
const onMount = (options: object): unknown =>
  child({ sockets: { "/socket": { ...mount, ...options } } });

describe("options of an endpoint", () => {
  it.each([
    ["endpoint: path", () => child({ path: "/socket" })],
    ["sockets: /socket: drainer", () => onMount({ drainer: {} })],
    ["limits: maxChanels", () => child({ limits: { maxChanels: 5 } })],
    ["drain: rounds", () => child({ drain: { rounds: 3 } })],
    ["longPoll: drainer", () => onMount({ longPoll: { drainer: {} } })],
    [
      "history: limit",
      () =>
        endpoint<{ log: { out: { a: object }; history: true } }>("other").channel("log", {
          join: () => ({ assigns: {} }),
          history: { limit: 5 } as never,
        }),
    ],
    ["history: maxAppend", () => web.history({ log: () => ({}) as never, maxAppend: 5 } as never)],
  ] as const)("nobody reads are refused by their name: %s (C2, L108)", (name, make) => {
    expect(make).toThrow(
      expect.objectContaining({
        code: "SLUICE_INVALID_OPTION",
        message: expect.stringMatching(new RegExp(`^${name}: got `)) as string,
      }),
    );
  });

  it.each([
    ["longPoll.windowMs", () => onMount({ longPoll: { windowMs: 0 } })],
    ["longPoll.windowMs", () => onMount({ longPoll: { windowMs: 18_001 } })],
    ["limits.pollTokenMaxAgeMs", () => child({ limits: { pollTokenMaxAgeMs: Infinity } })],
    ["limits.maxPendingBytes", () => onMount({ maxPendingBytes: 0 })],
  ] as const)("that are bounds have bounds themselves: %s (C4, C5)", (name, make) => {
    expect(make).toThrow(new RegExp(`^${name}: got `));
  });

  it("switch no limit off, whatever is given for it, and no check of origins (L109)", () => {
    for (const name of Object.keys(defaultLimits))
      for (const value of [0, -1, undefined, null, false, Infinity, Number.NaN, "5"])
        expect(() => child({ limits: { [name]: value } })).toThrow(/^limits\.\w+: got /);
    for (const checkOrigin of [["*"], ["//*"], [""]])
      expect(() => child({ checkOrigin })).toThrow(/^checkOrigin: got /);
    for (const allowedHosts of [["*"], [""]])
      expect(() => child({ allowedHosts })).toThrow(/^allowedHosts: got /);
    for (const list of [false, null, "*", {}])
      for (const name of ["checkOrigin", "allowedHosts"])
        expect(() => child({ [name]: list })).toThrow(new RegExp(`^${name}: got `));
    for (const dangerouslyAllowAnyOrigin of ["false", 1, null])
      expect(() => child({ dangerouslyAllowAnyOrigin })).toThrow(
        /^dangerouslyAllowAnyOrigin: got /,
      );
  });
});

/** Runs the endpoint with these options, in virtual time. */
const served = (
  options: object,
  body: (quiet: () => Promise<unknown>) => Promise<void>,
): Promise<unknown> =>
  simulate(
    async ({ quiet }) => {
      await using _app = await startSupervisor({
        strategy: "one_for_one",
        children: { web: child(options) as ReturnType<typeof web.child> },
      });
      await body(quiet);
    },
    { seeds: 3 },
  );

describe("an endpoint", () => {
  it("tells that it serves, and where (L110)", async () => {
    const told: unknown[] = [];
    using _serving = attach("sluice.channels.serving", (it) => told.push(it));
    await served({ port: 4_000 }, async () => {
      expect(told).toEqual([{ endpoint: "web", url: "http://127.0.0.1:4000" }]);
      told.length = 0;
    });
  });

  it("lets a mount have its own bound on what waits for a client (C5)", () =>
    served(
      {
        sockets: {
          "/socket": mount,
          "/narrow": { ...mount, maxPendingBytes: 10_000 },
        },
      },
      async (quiet) => {
        await using wide = await testClient(web, { socket: "/socket" });
        await using narrow = await testClient(web, { socket: "/narrow" });
        for (const client of [wide, narrow]) {
          await client.join("room:1", {});
          client.pause();
        }
        for (let n = 0; n < 200; n++) {
          web.broadcast("room:1", "news", { text: "x".repeat(1_000) });
          await quiet();
        }
        narrow.resume();
        expect(await narrow.expectClose()).toMatchObject({ code: 4008 });
        wide.resume();
        await wide.heartbeat();
      },
    ));
});
