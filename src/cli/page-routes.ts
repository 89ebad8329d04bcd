import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { securityHeaders } from "./security-headers.ts";

/** What the page has to know; served as `/config.json`. */
export interface PageConfig {
  /** The topic to join. */
  readonly topic: string;
  /** The channel event that carries messages. */
  readonly event: string;
  /** Offers the button that pushes 1…50. */
  readonly demo: boolean;
  /** A join needs the token. */
  readonly token: boolean;
}

const types = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  json: "application/json; charset=utf-8",
  svg: "image/svg+xml",
};

/** The files of the page, in `page/`: these are served and packed, nothing else. */
export const pageFiles: readonly string[] = [
  "index.html",
  "app.js",
  "columns.js",
  "connection.js",
  "dom.js",
  "favicon.svg",
  "figures.js",
  "format.js",
  "messages.css",
  "messages.js",
  "push.js",
  "sparkline.js",
  "stages.css",
  "stages.js",
  "style.css",
];

interface Asset {
  readonly type: string;
  readonly body: Buffer;
}

/**
 * Reads the page and the stock client, once, and answers GET and HEAD for these files and nothing else: no path of a
 * request ever becomes a path of the file system. Anything else is 404, another method 405.
 */
export async function pageRoutes(
  config: PageConfig,
): Promise<(request: IncomingMessage, response: ServerResponse) => void> {
  const assets = new Map<string, Asset>([
    ["/phoenix.mjs", await readAsset(new URL(import.meta.resolve("phoenix")))],
    ["/config.json", { type: types.json, body: Buffer.from(JSON.stringify(config)) }],
  ]);
  for (const file of pageFiles) {
    const path = file === "index.html" ? "/" : `/${file}`;
    assets.set(path, await readAsset(new URL(`./page/${file}`, import.meta.url)));
  }

  return (request, response) => {
    const found = assets.get(request.url?.split("?")[0] ?? "");
    if (request.method !== "GET" && request.method !== "HEAD")
      send(response, 405, note("GET or HEAD"), { allow: "GET, HEAD" });
    else if (found === undefined) send(response, 404, note("nothing is here"));
    else send(response, 200, found);
  };
}

async function readAsset(url: URL): Promise<Asset> {
  const extension = url.pathname.slice(url.pathname.lastIndexOf(".") + 1).replace("mjs", "js");
  return { type: types[extension as keyof typeof types], body: await readFile(url) };
}

function note(text: string): Asset {
  return { type: "text/plain; charset=utf-8", body: Buffer.from(`${text}\n`) };
}

function send(
  response: ServerResponse,
  status: number,
  { type, body }: Asset,
  headers: Readonly<Record<string, string>> = {},
): void {
  // Node sends no body in answer to HEAD.
  response
    .writeHead(status, {
      ...securityHeaders,
      ...headers,
      "content-type": type,
      "content-length": body.length,
    })
    .end(body);
}
