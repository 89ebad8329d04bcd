import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import {
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  createServer,
  request as startRequest,
} from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pageFiles, pageRoutes } from "./page-routes.ts";
import { securityHeaders } from "./security-headers.ts";

const config = { topic: "t:1", event: "push", demo: false, token: true };
const page = new URL("./page/", import.meta.url);
let server: Server;

beforeAll(async () => {
  server = createServer(await pageRoutes(config)).listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterAll(() => server.close());

async function get(
  path: string,
  method = "GET",
): Promise<{ status: number | undefined; headers: IncomingHttpHeaders; text: string }> {
  // Not fetch: that would tidy the path up before it sends it.
  const request = startRequest({
    port: (server.address() as AddressInfo).port,
    path,
    method,
  }).end();
  const [response] = (await once(request, "response")) as [IncomingMessage];
  let text = "";
  for await (const piece of response.setEncoding("utf8")) text += piece as string;
  return { status: response.statusCode, headers: response.headers, text };
}

describe("pageRoutes", () => {
  it("serves every file of the page, as what it is", async () => {
    const files = (await readdir(page)).filter((file) => !file.endsWith(".test.ts"));
    expect(pageFiles.toSorted()).toEqual(files.toSorted());
    for (const file of pageFiles) {
      const { status, headers, text } = await get(file === "index.html" ? "/" : `/${file}`);
      expect([file, status]).toEqual([file, 200]);
      expect(text).toBe(await readFile(new URL(file, page), "utf8"));
      expect(headers["content-type"]).toContain(
        { html: "text/html", css: "text/css", js: "text/javascript", svg: "image/svg" }[
          file.split(".").at(-1) ?? ""
        ],
      );
    }
  });

  it("serves what the page loads: every path that it names, and the stock client", async () => {
    const named = new Set<string>();
    for (const file of pageFiles) {
      const text = await readFile(new URL(file, page), "utf8");
      for (const [, path = ""] of text.matchAll(/(?:href="|src="|from "\.?)(\/[^"]+)"/g))
        named.add(path);
    }
    expect(named).toContain("/phoenix.mjs");
    for (const path of named) expect([path, (await get(path)).status]).toEqual([path, 200]);
    expect((await get("/phoenix.mjs")).text).toContain("Socket");
  });

  it("tells the page what to join", async () => {
    const { headers, text } = await get("/config.json?fresh");
    expect(JSON.parse(text)).toEqual(config);
    expect(headers["content-type"]).toContain("application/json");
  });

  it.each([
    "/index.html",
    "/nothing",
    "/../options.ts",
    "/..%2foptions.ts",
    "/page/app.js",
    "/app.js/",
    "//app.js",
    "/app.js%00",
    "/APP.JS",
    "/__proto__",
    "/constructor",
    "*",
  ])("knows nothing at %s (R89)", async (path) => {
    expect((await get(path)).status).toBe(404);
  });

  it("answers HEAD without a body, and no other method (R89)", async () => {
    const { status, headers, text } = await get("/app.js", "HEAD");
    expect([status, text]).toEqual([200, ""]);
    expect(Number(headers["content-length"])).toBeGreaterThan(0);
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
      expect(await get("/", method)).toMatchObject({
        status: 405,
        headers: { allow: "GET, HEAD" },
      });
    }
  });

  it("sends the security headers with every answer, exactly (R88)", async () => {
    for (const { headers } of [
      await get("/"),
      await get("/nothing"),
      await get("/", "POST"),
      await get("/config.json"),
    ]) {
      expect(headers).toMatchObject(securityHeaders);
    }
    expect(securityHeaders).toMatchObject({
      "content-security-policy":
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'",
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
      "cache-control": "no-store",
    });
    for (const feature of ["camera", "microphone", "geolocation", "usb", "payment"]) {
      expect(securityHeaders["permissions-policy"]).toContain(`${feature}=()`);
    }
  });

  it("holds nothing that its own policy forbids: no inline script or style, no markup from text (R87)", async () => {
    for (const file of pageFiles) {
      const text = await readFile(new URL(file, page), "utf8");
      expect(text).not.toBe("");
      if (file.endsWith(".html"))
        expect(text).not.toMatch(/ style=| on\w+=|<style|<script(?![^>]*\bsrc=)|https?:/);
      if (file.endsWith(".js"))
        expect(text).not.toMatch(
          /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|https?:/,
        );
    }
  });
});
