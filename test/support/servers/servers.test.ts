import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect as natsConnect } from "@nats-io/transport-node";
import pg from "pg";
import { createClient } from "redis";
import { expect, it, onTestFinished } from "vitest";
import { until } from "../../integration/support/clients.ts";
import { family, lives } from "./family.ts";
import { describeOn } from "./on-server.ts";
import type { Server } from "./server.ts";

/** One exchange of a stock client. */
const ping = {
  async nats({ url }: Server) {
    const connection = await natsConnect({ servers: url });
    await connection.flush();
    await connection.close();
  },
  async redis({ url }: Server) {
    const client = createClient({ url, socket: { reconnectStrategy: false } });
    client.on("error", () => {});
    await client.connect();
    expect(await client.ping()).toBe("PONG");
    client.destroy();
  },
  async postgres({ url }: Server) {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    expect((await client.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
    await client.end();
  },
};

for (const name of ["nats", "redis", "postgres"] as const)
  describeOn(name, `startServer("${name}")`, (server) => {
    it("serves a stock client, and says its version", async () => {
      await ping[name](server());
      expect(server().version).toMatch(/^\d+\.\d+/);
    });

    it("comes back on the same port after a kill and after a restart", async () => {
      const { pid, url } = server();
      const all = family(pid);
      await server().kill();
      expect(all.filter(lives)).toEqual([]);
      await expect(ping[name](server())).rejects.toThrow(/refused/i);
      await server().start();
      expect(server().url).toBe(url);
      expect(server().pid).not.toBe(pid);
      await ping[name](server());
      await server().restart();
      await ping[name](server());
    });

    it("answers nobody while paused", async () => {
      server().pause();
      let answered = false;
      const pong = ping[name](server()).then(() => (answered = true));
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(answered).toBe(false);
      server().resume();
      await pong;
    });
  });

describeOn("redis", "startServer", () => {
  it("leaves no server behind when its process is killed", async () => {
    const program = `
      const { startServer } = await import(${JSON.stringify(import.meta.resolve("./server.ts"))});
      const server = await startServer("redis");
      console.info("pid", server.pid);
      setInterval(() => {}, 1_000);
    `;
    const child = spawn(process.execPath, ["--input-type=module", "-e", program]);
    onTestFinished(() => void child.kill("SIGKILL"));
    let output = "";
    child.stdout.on("data", (text) => (output += String(text)));
    await until(() => /^pid \d+$/m.test(output));
    const pid = Number(/^pid (\d+)$/m.exec(output)?.[1]);
    expect(lives(pid)).toBe(true);
    child.kill("SIGKILL");
    await once(child, "exit");
    await until(() => !lives(pid));
  });
});
