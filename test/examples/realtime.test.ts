import { Readable } from "node:stream";
import { Socket, type Channel } from "phoenix";
import { describe, expect, it, vi } from "vitest";
import { memoryTransport, simulate } from "sluice/testing";
import { simulated, started } from "./example.ts";

type Connect = (url: string, params: object) => Socket;

/** Joins a topic with the stock client; rejects with the reason of a refusal. */
async function join(socket: Socket, topic: string, params: object = {}): Promise<Channel> {
  socket.connect();
  const channel = socket.channel(topic, params);
  await new Promise<void>((resolve, reject) => {
    channel
      .join()
      .receive("ok", () => resolve())
      .receive("error", (reply: { reason: string }) => {
        // The stock client would try again for ever.
        channel.leave();
        reject(new Error(reply.reason));
      });
  });
  return channel;
}

const hangUp = (socket: Socket): Promise<void> =>
  new Promise((resolve) => socket.disconnect(resolve));

function inMemory(): Connect {
  const transport = memoryTransport() as unknown as typeof WebSocket;
  return (url, params) => new Socket(`${url}/socket`, { transport, params });
}
const overWire: Connect = (url, params) =>
  new Socket(`${url.replace("http", "ws")}/socket`, { transport: WebSocket, params });
/** Where an example serves in a simulation. */
const simulatedUrl = "ws://localhost:4000";

describe("a8-realtime-push.ts: 50 pushes, five at once, a second each", () => {
  const texts = Array.from({ length: 50 }, (_, index) => `hello ${index + 1}`);

  it("simulated: groups of five a second, out of order within a group", async () => {
    const firstGroups = new Set<string>();
    await simulate(
      async (simulation) => {
        const seen: { readonly text: string; readonly atMs: number }[] = [];
        let printed: readonly unknown[] = [];
        printed = await simulated(simulation, "a8-realtime-push.ts", async () => {
          const socket = inMemory()(simulatedUrl, { token: "a secret" });
          const channel = await join(socket, "user:1", { device: "test" });
          channel.on(
            "push",
            ({ text }: { text: string }) => void seen.push({ text, atMs: performance.now() }),
          );
          await simulation.advance(15_000);
          await hangUp(socket);
        });
        expect(printed).toHaveLength(51);
        // The first five went out before anybody had joined: a broadcast is for those who are there.
        expect(seen.length).toBeGreaterThanOrEqual(45);
        for (const { text, atMs } of seen) {
          const group = Math.floor((Number(text.slice("hello ".length)) - 1) / 5);
          expect(Math.floor(atMs / 1_000)).toBe(group);
        }
        firstGroups.add(
          seen
            .slice(-5)
            .map(({ text }) => text)
            .join(),
        );
      },
      { seeds: 10 },
    );
    expect(firstGroups.size).toBeGreaterThan(1);
  });

  it("simulated: nobody joins for another user, or without a token", async () => {
    await simulate(
      async (simulation) => {
        await simulated(simulation, "a8-realtime-push.ts", async () => {
          await simulation.advance(1);
          const socket = inMemory()(simulatedUrl, { token: "a secret" });
          await expect(join(socket, "user:2", { device: "test" })).rejects.toThrow("unauthorized");
          await expect(join(socket, "user:1", { device: 7 })).rejects.toThrow("invalid");
          await hangUp(socket);
        });
      },
      { seeds: 3 },
    );
  });

  it("for real", async () => {
    await using example = started("a8-realtime-push.ts");
    const socket = overWire(await example.url(), { token: "a secret" });
    const channel = await join(socket, "user:1", { device: "test" });
    const seen: string[] = [];
    channel.on("push", ({ text }: { text: string }) => void seen.push(text));
    const acked = await new Promise((resolve) =>
      channel.push("ack", { id: "1" }).receive("ok", resolve),
    );
    expect(acked).toEqual({ unread: 49 });
    await vi.waitFor(() => expect(seen).toContain("hello 50"), 15_000);
    expect(seen.toSorted()).toEqual(texts.filter((text) => seen.includes(text)).toSorted());
    expect(seen.length).toBeGreaterThanOrEqual(40);
    await hangUp(socket);
    expect(await example.end()).toBe(0);
  });
});

describe("a8b-pipe.ts: lines to every browser, with back-pressure, until the input ends", () => {
  const lines = Array.from({ length: 300 }, (_, index) => `line ${index + 1}`);

  it("simulated", async () => {
    await simulate(
      async (simulation) => {
        const joined = Promise.withResolvers<void>();
        const stdin = Object.getOwnPropertyDescriptor(process, "stdin")!;
        const input = Readable.from(
          (async function* () {
            yield `${lines.slice(0, 150).join("\n")}\n`;
            await joined.promise;
            yield `${lines.slice(150).join("\n")}\n`;
          })(),
        );
        Object.defineProperty(process, "stdin", { ...stdin, get: () => input });
        try {
          const seen: string[] = [];
          let handed: readonly { readonly payload: { readonly text: string } }[] = [];
          await simulated(simulation, "a8b-pipe.ts", async () => {
            await simulation.advance(1);
            const socket = inMemory()(simulatedUrl, {});
            socket.connect();
            const channel = socket.channel("lines", {});
            channel.on("line", ({ text }: { text: string }) => void seen.push(text));
            await new Promise<void>((resolve) => {
              channel.join().receive("ok", (reply: { "~": { recent: typeof handed } }) => {
                handed = reply["~"].recent;
                resolve();
              });
            });
            joined.resolve();
            await simulation.advance(1_000);
            await hangUp(socket);
          });
          expect(handed.map(({ payload }) => payload.text)).toEqual(lines.slice(50, 150));
          expect(seen).toEqual(lines.slice(150));
        } finally {
          Object.defineProperty(process, "stdin", stdin);
        }
      },
      { seeds: 5 },
    );
  });

  it("for real, ending with its input", async () => {
    await using example = started("a8b-pipe.ts");
    const socket = overWire(await example.url(), {});
    const channel = await join(socket, "lines");
    const seen: string[] = [];
    channel.on("line", ({ text }: { text: string }) => void seen.push(text));
    example.stdin.end(`${lines.join("\n")}\n`);
    await vi.waitFor(() => expect(seen).toEqual(lines), 10_000);
    await hangUp(socket);
    expect(await example.exited).toBe(0);
  });
});

describe("a9-traits.ts: three clients, each receiving exactly its own events", () => {
  /** Joins as the three buyers; each notes what it is told. */
  async function three(
    connect: Connect,
    url: string,
  ): Promise<{ readonly told: string[][]; readonly sockets: Socket[] }> {
    const told: string[][] = [];
    const sockets: Socket[] = [];
    for (const buyer of [1, 2, 3]) {
      const socket = connect(url, { token: `secret of ${buyer}` });
      sockets.push(socket);
      const texts: string[] = [];
      told.push(texts);
      const channel = await join(socket, `buyer:${buyer}`);
      channel.on(
        "notice",
        (notice: { buyer: number; text: string }) =>
          void texts.push(`${notice.buyer} ${notice.text}`),
      );
      await expect(join(socket, `buyer:${(buyer % 3) + 1}`)).rejects.toThrow("unauthorized");
    }
    return { told, sockets };
  }

  function checkOwn(told: readonly (readonly string[])[]): void {
    told.forEach((texts, index) => {
      const ids = texts.map((text) => {
        const [, buyer, id] = /^(\d) order (\d+): /.exec(text)!;
        expect(Number(buyer)).toBe(index + 1);
        expect(1 + (Number(id) % 3)).toBe(index + 1);
        return Number(id);
      });
      // In order, and none missing from the first to the last.
      expect(ids).toEqual(ids.map((_, nth) => ids[0]! + 3 * nth));
    });
  }

  it("simulated", async () => {
    await simulate(
      async (simulation) => {
        let told: readonly (readonly string[])[] = [];
        const printed = await simulated(simulation, "a9-traits.ts", async () => {
          await simulation.advance(1);
          const clients = await three(inMemory(), simulatedUrl);
          ({ told } = clients);
          await simulation.advance(1_000);
          await Promise.all(clients.sockets.map(hangUp));
        });
        checkOwn(told);
        for (const texts of told) expect(texts.length).toBeGreaterThan(30);
        const { text } = printed.at(-1)!;
        const [, delivered, latencies] = /^delivered (\d+), unheard \d+, latencies (\d+)$/.exec(
          text,
        )!;
        expect(Number(delivered)).toBeGreaterThanOrEqual(told.flat().length);
        expect(latencies).toBe(delivered);
      },
      { seeds: 5 },
    );
  });

  it("for real", async () => {
    await using example = started("a9-traits.ts");
    const { told, sockets } = await three(overWire, await example.url());
    await vi.waitFor(
      () => expect(Math.min(...told.map(({ length }) => length))).toBeGreaterThan(20),
      10_000,
    );
    await Promise.all(sockets.map(hangUp));
    checkOwn(told);
    expect(await example.end()).toBe(0);
    expect(example.lines.at(-1)).toMatch(/^delivered \d+, unheard \d+, latencies \d+$/);
  });
});
