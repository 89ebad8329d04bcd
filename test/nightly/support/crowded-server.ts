// A server with more clients than it may have, or than it can hurry: `node crowded-server.ts <port> '{"maxConnections": …}'`.
// It does what its parent tells it to, and tells how it is.
import { closeSync, openSync, readdirSync } from "node:fs";
import { open } from "node:fs/promises";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { startSupervisor } from "sluice";
import { endpoint, type Limits } from "sluice/channels";
import { attach } from "sluice/telemetry";
import type { FromCrowdedServer, ToCrowdedServer } from "./crowded-protocol.ts";

interface Topics {
  figures: {
    in: { ask(payload: { readonly n: number }): Promise<{ readonly n: number }> };
    out: { told: { readonly n: number; readonly atMs: number } };
  };
  /** Shown to those who must miss nothing, and to those who may. */
  strict: Pictures;
  lossy: Pictures;
}
interface Pictures {
  out: { shown: { readonly n: number; readonly data: string } };
}

const join = () => ({ assigns: {} });
const web = endpoint<Topics>("web");
const figures = web.channel("figures", {
  schemas: "trusted",
  join,
  on: {
    /** Cannot be answered without a file. */
    async ask({ n }) {
      const file = await open(process.execPath);
      await file.close();
      return { n };
    },
  },
});
const shared = { join, schemas: "trusted" } as const;
const strict = web.channel("strict", shared);
const lossy = web.channel("lossy", { ...shared, slow: "dropOldest" });

const count = (of: Record<string, number>, what: string): void =>
  void (of[what] = (of[what] ?? 0) + 1);
const [refused, closed]: [Record<string, number>, Record<string, number>] = [{}, {}];
attach("sluice.channels.refused", ({ reason }) => count(refused, reason));
attach("sluice.channels.closed", ({ code }) => count(closed, String(code)));
attach("sluice.log", ({ level, message }) => {
  if (level === "error") console.error(message);
});

const app = await startSupervisor({
  strategy: "one_for_one",
  children: {
    web: web.child({
      port: Number(process.argv[2]),
      limits: JSON.parse(process.argv[3] ?? "{}") as Partial<Limits>,
      sockets: { "/socket": { connect: () => ({}), channels: [figures, strict, lossy] } },
    }),
  },
});
const tell = (message: FromCrowdedServer): void => void process.send!(message);

/** This look included. */
const openFiles = (): number => readdirSync("/proc/self/fd").length;
const turns = monitorEventLoopDelay({ resolution: 10 });
turns.enable();

const hoard: number[] = [];
let speaking: NodeJS.Timeout | undefined;
process.on("message", (message: ToCrowdedServer) => {
  switch (message.kind) {
    case "look": {
      const { rss } = process.memoryUsage();
      tell({
        kind: "figures",
        refused,
        closed,
        // Without a file to spare there is no look.
        openFiles: hoard.length > 0 ? undefined : openFiles(),
        rssMb: rss / 1_048_576,
        longestTurnMs: turns.max / 1e6,
      });
      return turns.reset();
    }
    case "hoard":
      try {
        for (;;) hoard.push(openSync(process.execPath, "r"));
      } catch {
        return tell({ kind: "hoarded", files: hoard.length });
      }
    case "release":
      for (const file of hoard.splice(0)) closeSync(file);
      return undefined;
    case "speak": {
      let n = 0;
      const data = "x".repeat(message.bytes);
      clearInterval(speaking);
      speaking = setInterval(() => {
        n++;
        web.broadcast("figures", "told", { n, atMs: performance.timeOrigin + performance.now() });
        web.broadcast("strict", "shown", { n, data });
        web.broadcast("lossy", "shown", { n, data });
      }, message.everyMs);
      return undefined;
    }
    case "hush":
      clearInterval(speaking);
      return undefined;
    default:
      return message satisfies never;
  }
});
process.on("disconnect", () => process.exit());
tell({ kind: "ready", url: (await app.children.web.call.address()).url });
