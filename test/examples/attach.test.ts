// An endpoint on somebody else's server, with the real frameworks: each example as a process, and the stock client.
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join as pathOf } from "node:path";
import { tmpdir } from "node:os";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { LongPoll, Socket, type SocketConnectOption } from "phoenix";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket as Ws } from "ws";
import { makeCertificate } from "../integration/support/certificate.ts";
import { hangUp, join, push, until } from "../integration/support/clients.ts";
import { started } from "./example.ts";

const certificate = makeCertificate();
const authorities = getCACertificates("default");
let folder = "";
beforeAll(() => {
  folder = mkdtempSync(pathOf(tmpdir(), "sluice-attach-"));
  writeFileSync(pathOf(folder, "key.pem"), certificate.key);
  writeFileSync(pathOf(folder, "cert.pem"), certificate.cert);
  setDefaultCACertificates([...authorities, certificate.cert]);
});
afterAll(() => {
  setDefaultCACertificates(authorities);
  rmSync(folder, { recursive: true });
});

const transports = [Ws, LongPoll] as unknown as SocketConnectOption["transport"][];

describe.each([
  { file: "attach-http.ts", page: "a page of node:http" },
  { file: "attach-https.ts", page: "a page of node:https" },
  { file: "attach-express.ts", page: "a page of Express" },
  { file: "attach-fastify.ts", page: "a page of Fastify" },
  { file: "attach-hono.ts", page: "a page of Hono" },
])("$file", ({ file, page }) => {
  it("answers its own pages, and clients of both transports, each once (L29, L131)", async () => {
    await using example = started(file, {
      TLS_KEY: pathOf(folder, "key.pem"),
      TLS_CERT: pathOf(folder, "cert.pem"),
    });
    const url = await example.url();
    expect(url).toMatch(file.includes("https") ? /^https:/ : /^http:/);
    const home = await fetch(url);
    expect([home.status, await home.text()]).toEqual([200, page]);
    expect((await fetch(`${url}/nowhere`)).status).toBe(404);
    const polled = await fetch(`${url}/socket/longpoll?vsn=2.0.0`);
    expect([polled.status, await polled.json()]).toMatchObject([
      200,
      { status: 410, messages: [] },
    ]);
    // What is nobody's: the app has no socket there.
    const elsewhere = new Ws(`${url.replace("http", "ws")}/elsewhere`);
    const [refusal] = (await once(elsewhere, "error")) as [Error];
    expect(refusal.message).toBe("Unexpected server response: 404");
    const sockets = transports.map((transport) => {
      const socket = new Socket(`${url.replace("http", "ws")}/socket`, { transport });
      socket.connect();
      return socket;
    });
    const members = await Promise.all(sockets.map((socket) => join(socket, "room:1")));
    for (const [at, { channel }] of members.entries())
      expect(await push(channel, "say", { text: `from ${at}` })).toEqual(["ok", {}]);
    for (const { told } of members) {
      await until(() => told.length === 2);
      expect(told).toEqual(
        [0, 1].map((at) => ({ event: "said", payload: { text: `from ${at}` } })),
      );
    }
    expect((await fetch(url)).status).toBe(200);
    await hangUp(...sockets);
    expect(await example.end()).toBe(0);
  });
});
