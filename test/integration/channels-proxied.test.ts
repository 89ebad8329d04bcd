// Clients behind a proxy, which says whom it speaks for.
import { once } from "node:events";
import { createServer } from "node:http";
import { connect as dial } from "node:net";
import { startSupervisor, withSystem } from "sluice";
import { endpoint } from "sluice/channels";
import { describe, expect, it } from "vitest";
import { RawClient, rawClient } from "./support/clients.ts";

/** Serves one connection for each address while `body` runs, with who connected. */
function served(
  body: (url: string, seen: string[]) => Promise<void>,
  options: { readonly trustedProxies?: readonly string[] },
): Promise<void> {
  const web = endpoint<{ lobby: {} }>("web");
  const lobby = web.channel("lobby", { join: () => ({ assigns: {} }) });
  const seen: string[] = [];
  return withSystem(async () => {
    await using app = await startSupervisor({
      strategy: "one_for_one",
      children: {
        web: web.child({
          port: 0,
          ...options,
          limits: { maxConnectionsPerAddress: 1 },
          sockets: {
            "/socket": {
              connect: (_params, { remoteAddress }) => {
                seen.push(remoteAddress);
                return {};
              },
              channels: [lobby],
              longPoll: true,
            },
          },
        }),
      },
    });
    await body((await app.children.web.call.address()).url, seen);
  });
}

const from = (address: string): { readonly headers: Record<string, string> } => ({
  headers: { "x-forwarded-for": address },
});

async function poll(url: string, address: string): Promise<number> {
  const answer = await fetch(`${url}/socket/longpoll?vsn=2.0.0`, from(address));
  return ((await answer.json()) as { readonly status: number }).status;
}

/** Hands connections on to a server, whose clients it names at the end of the header. */
async function withProxy(url: string, client: string, body: (proxy: string) => Promise<void>) {
  const proxy = createServer().on("upgrade", ({ url: path, headers }, line) => {
    const { host, port } = new URL(url);
    const claimed = headers["x-forwarded-for"];
    const named = { ...headers, host, "x-forwarded-for": `${String(claimed)}, ${client}` };
    const lines = Object.entries(named).map(([name, value]) => `${name}: ${String(value)}\r\n`);
    const behind = dial(Number(port), "127.0.0.1", () => {
      behind.write(`GET ${path ?? "/"} HTTP/1.1\r\n${lines.join("")}\r\n`);
      behind.pipe(line).pipe(behind);
    });
    behind.on("error", () => line.destroy());
    line.on("error", () => behind.destroy()).on("close", () => behind.destroy());
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const { port } = proxy.address() as { readonly port: number };
  await body(`http://127.0.0.1:${port}`);
  proxy.close();
}

describe("a client behind a proxy", () => {
  it("is told and counted by its own address, by either transport (R70, L10)", () =>
    served(
      async (url, seen) => {
        await using _one = await rawClient(url, from("203.0.113.1"));
        const again = new RawClient(url, from("203.0.113.1")).opened();
        await expect(again).rejects.toMatchObject({ statusCode: 503 });
        expect(await poll(url, "203.0.113.1")).toBe(500);
        expect(await poll(url, "203.0.113.2")).toBe(410);
        expect(await poll(url, "203.0.113.2")).toBe(500);
        const third = await rawClient(url, from("203.0.113.3"));
        expect(seen).toEqual(["203.0.113.1", "203.0.113.2", "203.0.113.3"]);
        third.ws.close();
        await third.closed();
        const deadline = performance.now() + 5_000;
        let isFree = false;
        while (!isFree && performance.now() < deadline)
          isFree = (await poll(url, "203.0.113.3")) === 410;
        expect(isFree).toBe(true);
      },
      { trustedProxies: ["127.0.0.0/8"] },
    ));

  it("is not believed what it says of itself (R70)", () =>
    served(
      (url, seen) =>
        withProxy(url, "203.0.113.7", async (proxy) => {
          await using _one = await rawClient(proxy, from("127.0.0.1"));
          const again = new RawClient(proxy, from("198.51.100.1, 127.0.0.1")).opened();
          await expect(again).rejects.toMatchObject({ statusCode: 503 });
          expect(seen).toEqual(["203.0.113.7"]);
        }),
      { trustedProxies: ["127.0.0.1"] },
    ));

  it("has the proxy's address where that is not trusted (L10)", async () => {
    for (const options of [{}, { trustedProxies: ["192.0.2.0/24"] }])
      await served(async (url, seen) => {
        await using _one = await rawClient(url, from("203.0.113.1"));
        expect(await poll(url, "203.0.113.1")).toBe(410);
        expect(seen).toEqual(["127.0.0.1", "127.0.0.1"]);
      }, options);
  });
});
