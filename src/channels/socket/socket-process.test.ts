// What a socket does with what its client sends, frame by frame, on the simulated Runtime.
import { describe, expect, it } from "vitest";
import { sleep, startSupervisor } from "../../process/index.ts";
import { bus } from "../../pubsub/internal.ts";
import { currentSystem } from "../../runtime/internal.ts";
import { simulate } from "../../testing/index.ts";
import { onReceipt, send } from "../delivery-api.ts";
import { directory } from "../directory.ts";
import { endpoint } from "../endpoint.ts";
import { memoryTransport } from "../transport/memory-transport.ts";
import { Refused } from "../refused.ts";

interface Topics {
  lobby: {
    join(params: { readonly refuse?: true }): void;
    in: { twice(payload: object): object };
  };
}

function world(
  body: (
    send: (...frame: unknown[]) => void,
    told: () => Promise<readonly unknown[]>,
  ) => Promise<void>,
): Promise<unknown> {
  return simulate(
    async ({ advance }) => {
      const web = endpoint<Topics>("web");
      const lobby = web.channel("lobby", {
        schemas: "trusted",
        async join({ refuse }) {
          await sleep(10);
          if (refuse) throw new Refused({ reason: "no" });
          return { assigns: {} };
        },
        leave: () => sleep(10),
        on: {
          twice(_payload, _channel, later) {
            expect(() => later.reply({ big: 1n })).toThrow(
              expect.objectContaining({ code: "SLUICE_PAYLOAD_REFUSED" }),
            );
            later.reply({ second: true });
            return later;
          },
        },
      });
      const sockets = { "/socket": { connect: () => ({}), channels: [lobby] } };
      await using _app = await startSupervisor({
        strategy: "one_for_one",
        children: { web: web.child({ port: 0, sockets }) },
      });
      const socket = new (memoryTransport())("ws://localhost/socket/websocket?vsn=2.0.0");
      const replies: unknown[] = [];
      socket.onmessage = ({ data }) => {
        const [, ref, , , { response }] = JSON.parse(data as string) as [
          0,
          string,
          0,
          0,
          { response: object },
        ];
        replies.push([ref, response]);
      };
      await new Promise<void>((resolve) => (socket.onopen = resolve));
      const told = async (): Promise<readonly unknown[]> => {
        await advance(50);
        return replies.splice(0);
      };
      await body((...frame) => socket.send(JSON.stringify(frame)), told);
      socket.close();
      await advance(50);
    },
    { seeds: 1 },
  );
}

describe("a receipt", () => {
  it("counts from a client that has joined, and from no other", () =>
    world(async (send, told) => {
      const receipts: unknown[] = [];
      using _heard = onReceipt(currentSystem(), "web", (_topic, id) => receipts.push(id));
      send("1", "1", "lobby", "phx_join", { refuse: true });
      send("1", "2", "lobby", "~receipt", { id: 1 });
      expect(await told()).toEqual([
        ["1", { reason: "no" }],
        ["2", { reason: "unmatched topic" }],
      ]);
      send("3", "3", "lobby", "phx_join", {});
      await told();
      send("3", "4", "lobby", "~receipt", { id: 2 });
      expect(await told()).toEqual([["4", {}]]);
      expect(receipts).toEqual([2]);
    }));
});

describe("a join that waits for the end of the one before", () => {
  it("is left when it was joined; each leave is answered, and the next join is as any", () =>
    world(async (send, told) => {
      send("1", "1", "lobby", "phx_join", {});
      await told();
      send("2", "2", "lobby", "phx_join", {});
      for (const ref of ["3", "4", "5"]) send("2", ref, "lobby", "phx_leave", {});
      expect(await told()).toEqual([
        ["2", {}],
        ["1", undefined],
        ["3", {}],
        ["4", {}],
        ["5", {}],
        ["2", undefined],
      ]);
      send("6", "6", "lobby", "phx_join", {});
      expect(await told()).toEqual([["6", {}]]);
    }));

  it("whose place is taken answers the leaves that it has heard", () =>
    world(async (send, told) => {
      send("1", "1", "lobby", "phx_join", {});
      await told();
      send("2", "2", "lobby", "phx_join", {});
      send("2", "3", "lobby", "phx_leave", {});
      send("4", "4", "lobby", "phx_join", {});
      expect(await told()).toEqual([
        ["3", {}],
        ["4", {}],
        ["1", undefined],
        ["2", undefined],
      ]);
    }));
});

describe("a later reply", () => {
  it("that cannot be sent leaves room for one that can", () =>
    world(async (send, told) => {
      send("1", "1", "lobby", "phx_join", {});
      send("1", "2", "lobby", "twice", {});
      expect(await told()).toEqual([
        ["1", {}],
        ["2", { second: true }],
      ]);
    }));
});

describe("a broadcast that fails on its way", () => {
  it("is told as written to whom it reached", () =>
    simulate(
      async () => {
        const web = endpoint<{ log: { out: { line: object } } }>("web");
        const system = currentSystem();
        const record = system.get(directory).record("web");
        using _failing = system.get(bus).subscribe(record.busTopic("log"), {
          hear() {
            throw new Error("a `latest` that fails");
          },
        });
        const written: number[] = [];
        const options = { written: (clients: number) => void written.push(clients) };
        expect(() => send(web, system, "log", "line", {}, options)).toThrow("fails");
        expect(written).toEqual([0]);
      },
      { seeds: 1 },
    ));
});
