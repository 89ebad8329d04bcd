// The stock client in a real browser, over both transports and from one to the other, against a server that is killed.
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Browser, Page } from "playwright-core";
import { startServer, type ServerProcess } from "../integration/support/servers.ts";
import { launch } from "./browser.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());
const servers: ServerProcess[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server[Symbol.asyncDispose]();
});

async function serve(options: object = {}): Promise<ServerProcess> {
  const server = await startServer(options);
  servers.push(server);
  return server;
}

/** What the page has of the stock client, as far as it is used here. */
interface Client {
  readonly told: unknown[];
  readonly transport: string;
  readonly state: string;
  push(event: string, payload: object): Promise<unknown>;
}

/** Imports the client that is served, joins `room:1`, and keeps all at `window.client`. */
function connect(page: Page, options: string): Promise<unknown> {
  return page.evaluate(`(async () => {
    const { Socket, LongPoll } = await import("/phoenix.mjs");
    const socket = new Socket("/socket", ${options});
    const channel = socket.channel("room:1", {});
    const told = [];
    channel.on("said", (payload) => told.push(payload.text));
    const push = (event, payload) => new Promise((resolve) => {
      const sent = channel.push(event, payload);
      for (const status of ["ok", "error", "timeout"])
        sent.receive(status, (response) => resolve([status, response]));
    });
    window.client = {
      told,
      push,
      get transport() { return socket.transport === LongPoll ? "longpoll" : "websocket"; },
      get state() { return socket.isConnected() ? channel.state : "away"; },
    };
    socket.connect();
    return new Promise((resolve) =>
      channel.join().receive("ok", () => resolve("ok")).receive("error", resolve));
  })()`);
}

const here = <T>(page: Page, expression: string): Promise<T> =>
  page.evaluate(`client.${expression}`);
const becomes = (page: Page, condition: string): Promise<unknown> =>
  page.waitForFunction(`client.${condition}`, undefined, { timeout: 15_000 });
const say = (page: Page, text: string): Promise<unknown> =>
  here(page, `push("say", { text: ${JSON.stringify(text)} })`);

async function open(url: string): Promise<Page> {
  const page = await browser.newPage();
  // As a page of a user who is logged in: his cookies come with all that it asks.
  await page.context().addCookies([{ name: "session", value: "1", url }]);
  await page.goto(url);
  return page;
}

describe("the stock client in a browser", () => {
  it.each([
    ["websocket", "{}"],
    ["longpoll", "{ transport: LongPoll }"],
  ])(
    "joins, pushes, is answered and told over %s, and comes back when its server was killed (L29, L124, L131)",
    async (transport, options) => {
      const server = await serve();
      const pages = [await open(server.url), await open(server.url)];
      for (const page of pages) expect(await connect(page, options)).toBe("ok");
      const [one, two] = pages as [Page, Page];
      expect(await here<Client["transport"]>(one, "transport")).toBe(transport);
      expect(await say(one, "hello")).toEqual(["ok", {}]);
      expect(await here(two, `push("refuse", {})`)).toEqual(["error", { reason: "no" }]);
      for (const page of pages) await becomes(page, "told.length === 1");
      await server.end("SIGKILL");
      for (const page of pages) await becomes(page, `state !== "joined"`);
      await serve({ port: Number(new URL(server.url).port) });
      for (const page of pages) await becomes(page, `state === "joined"`);
      expect(await say(two, "back")).toEqual(["ok", {}]);
      for (const page of pages) {
        await becomes(page, "told.length === 2");
        expect(await here<Client["told"]>(page, "told")).toEqual(["hello", "back"]);
        await page.close();
      }
    },
    60_000,
  );

  it("falls back to long-polling where no WebSocket gets through, and stays there (L136)", async () => {
    const { url } = await serve();
    const page = await open(url);
    // The page's own WebSockets reach nobody.
    await page.routeWebSocket(/\/socket\/websocket/, () => {});
    await page.reload();
    const options = "{ longPollFallbackMs: 500 }";
    expect(await connect(page, options)).toBe("ok");
    expect(await here<Client["transport"]>(page, "transport")).toBe("longpoll");
    expect(await say(page, "round about")).toEqual(["ok", {}]);
    await becomes(page, "told.length === 1");
    expect(await page.evaluate(() => sessionStorage.getItem("phx:fallback:LongPoll"))).toBe("true");
    await page.close();
  }, 60_000);

  it("polls from a page of another origin that is allowed, and not from others (L42)", async () => {
    const other = await serve();
    const { url } = await serve({ checkOrigin: [other.url] });
    const [friend, stranger] = [await open(other.url), await open((await serve()).url)];
    const poll = (page: Page): Promise<unknown> =>
      page.evaluate(async (address) => {
        try {
          const response = await fetch(`${address}/socket/longpoll?vsn=2.0.0`);
          const { status, token } = (await response.json()) as { status: number; token: string };
          const posted = await fetch(`${address}/socket/longpoll?vsn=2.0.0`, {
            method: "POST",
            headers: { "content-type": "application/x-ndjson", "x-phoenix-longpoll-token": token },
            body: "",
          });
          return [status, ((await posted.json()) as { status: number }).status];
        } catch (error) {
          return String(error);
        }
      }, url);
    expect(await poll(friend)).toEqual([410, 200]);
    expect(await poll(stranger)).toMatch(/Failed to fetch/);
    await friend.close();
    await stranger.close();
  }, 60_000);
});
