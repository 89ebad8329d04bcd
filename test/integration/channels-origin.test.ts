// Whose pages may connect, over each transport (R72).
import { request } from "node:http";
import { describe, expect, it } from "vitest";
import { score } from "../scoreboard.ts";
import { servedBy } from "./support/served-by.ts";

/** The status that a request is answered with. */
function status(url: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { headers, agent: false }, (response) => {
      let text = "";
      response.on("data", (data: Buffer) => (text += String(data)));
      // A poll is answered 200, and told in the body what came of it.
      response.on("end", () =>
        resolve(
          response.statusCode === 200
            ? (JSON.parse(text) as { readonly status: number }).status
            : response.statusCode!,
        ),
      );
    });
    asked.on("upgrade", (_response, line) => {
      line.destroy();
      resolve(101);
    });
    asked.on("error", reject).end();
  });
}

const upgrade = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
  "sec-websocket-version": "13",
};

describe("origins, with https://app.example.com and https://*.good.example listed", () => {
  it("are let in or kept out alike over WebSocket and long-polling (R72)", () =>
    servedBy(
      { checkOrigin: ["https://app.example.com", "https://*.good.example"] },
      async (url) => {
        const { port } = new URL(url);
        const rows: readonly (readonly [origin: string, isLetIn: boolean])[] = [
          [`http://127.0.0.1:${port}`, true],
          ["https://app.example.com", true],
          ["https://app.example.com:443", true],
          ["HTTPS://APP.example.com", true],
          ["https://www.good.example", true],
          ["https://a.b.good.example", true],
          ["null", false],
          ["file://", false],
          ["about:blank", false],
          ["data:text/html,x", false],
          ["https://evil.example", false],
          ["http://app.example.com", false],
          ["https://app.example.com:444", false],
          ["https://app.example.com.", false],
          ["https://app.example.com.evil.example", false],
          ["https://evilapp.example.com", false],
          ["https://xapp.example.com", false],
          ["https://example.com", false],
          ["https://a.app.example.com", false],
          ["https://evilgood.example", false],
          ["https://good.example.evil.example", false],
          ["https://www.good.example.evil.example", false],
          ["https://www.evilgood.example", false],
          ["https://.good.example", false],
          ["https://*.good.example", false],
          ["http://www.good.example", false],
          ["https://www.good.example:8443", false],
          ["https://app.example.com/", false],
          ["https://app.example.com/page", false],
          ["https://app.example.com?x", false],
          ["https://app.example.com#x", false],
          ["https://user@app.example.com", false],
          ["https://app.example.com@evil.example", false],
          ["https://app.example.com\\@evil.example", false],
          ["https://app.example.com, https://evil.example", false],
          ["https://xn--pp-yia.example.com", false],
          ["https://%61pp.example.com", false],
          [`https://127.0.0.1:${port}`, false],
          ["http://127.0.0.1", false],
          [`http://127.0.0.1:${Number(port) + 1}`, false],
          [`http://localhost:${port}`, false],
          // The same address in another spelling, as browsers read it.
          [`http://0x7f.1:${port}`, true],
          ["https://a..good.example", false],
          ["app.example.com", false],
          ["//app.example.com", false],
        ];
        const wrong: unknown[] = [];
        for (const [origin, isLetIn] of rows) {
          const got = [
            await status(`${url}/socket/websocket?vsn=2.0.0`, { ...upgrade, origin }),
            await status(`${url}/socket/longpoll?vsn=2.0.0`, { origin }),
          ];
          // A poll without a session is given one by 410.
          const expected = isLetIn ? [101, 410] : [403, 403];
          if (got.join() !== expected.join()) wrong.push({ origin, got, expected });
        }
        score(
          "R72",
          "origins that are judged wrongly, over two transports",
          `${wrong.length} of ${rows.length}`,
        );
        expect(wrong).toEqual([]);
        expect(rows.length).toBeGreaterThanOrEqual(40);
      },
      { "/socket": { longPoll: true } },
    ));
});
