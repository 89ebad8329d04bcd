// A page that is loaded again goes on where it stopped, in a real browser.
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Browser } from "playwright-core";
import { startSupervisor, withSystem } from "sluice";
import { endpoint, type Route } from "sluice/channels";
import { launch } from "./browser.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

interface Topics {
  feed: { out: { said: { readonly n: number } }; history: true };
}

const file = (url: string): string => readFileSync(fileURLToPath(url), "utf8");
const serve =
  (type: string, text: string): Route =>
  (_request, response) => {
    response.setHeader("content-type", type);
    response.end(text);
  };
const script = "text/javascript";

/** A page that keeps what it has heard for the next. */
const page = `<!doctype html><script type="module">
  import { Socket } from "/phoenix.mjs";
  import { resumable } from "/resumable.mjs";
  const socket = new Socket("/socket");
  const channel = socket.channel("feed");
  const keep = (key, value) =>
    sessionStorage.setItem(key, JSON.stringify([...JSON.parse(sessionStorage.getItem(key) ?? "[]"), value]));
  resumable(channel, { storage: sessionStorage, lost: (status) => keep("lost", status) });
  channel.on("said", ({ n }) => keep("heard", n));
  channel.join().receive("ok", () => document.body.setAttribute("data-joined", ""));
  socket.connect();
</script>`;

describe("a page with resumable", () => {
  it("that is loaded again hears what it missed meanwhile, once and in order (R79)", () =>
    withSystem(async () => {
      const web = endpoint<Topics>("web");
      const feed = web.channel("feed", {
        join: () => ({ assigns: {} }),
        history: { count: 100, onJoin: 2 },
      });
      const resumable = file(import.meta.resolve("../../src/client/resumable.ts"));
      await using app = await startSupervisor({
        strategy: "one_for_one",
        children: {
          web: web.child({
            port: 0,
            sockets: { "/socket": { connect: () => ({}), channels: [feed] } },
            routes: {
              "/": serve("text/html", page),
              "/phoenix.mjs": serve(script, file(import.meta.resolve("phoenix"))),
              "/resumable.mjs": serve(script, stripTypeScriptTypes(resumable)),
            },
          }),
        },
      });
      const { url } = await app.children.web.call.address();
      let last = 0;
      const say = async (count: number): Promise<void> => {
        for (const until = last + count; last < until;)
          await web.publish("feed", "said", { n: ++last });
      };
      const tab = await browser.newPage();
      const faults: string[] = [];
      tab.on("pageerror", (error) => faults.push(error.message));
      const kept = (key: string): Promise<unknown> =>
        tab.evaluate((name) => JSON.parse(sessionStorage.getItem(name) ?? "[]") as unknown, key);

      await say(5);
      await tab.goto(url);
      await tab.locator("body[data-joined]").waitFor({ state: "attached" });
      await say(3);
      await vi.waitFor(async () => expect(await kept("heard")).toEqual([4, 5, 6, 7, 8]), 5_000);
      for (let reload = 0; reload < 3; reload++) {
        const loading = tab.reload();
        await say(10);
        await loading;
        await say(5);
      }
      const all = Array.from({ length: last - 3 }, (_, at) => at + 4);
      await vi.waitFor(async () => expect(await kept("heard")).toEqual(all), 5_000);
      expect(await kept("lost")).toEqual([]);
      expect(faults).toEqual([]);
      await tab.close();
    }));
});
