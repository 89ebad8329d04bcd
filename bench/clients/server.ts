// The server of bench/clients.ts: one topic that anybody may join.
import { startSupervisor } from "sluice";
import { endpoint } from "sluice/channels";
import { once } from "node:events";

const web = endpoint<{ "room:lobby": { out: { news: { readonly text: string } } } }>("web");
const lobby = web.channel("room:lobby", { join: () => ({ assigns: {} }) });

process.on("message", (question) => {
  if (question !== "memory") return;
  const { rss } = process.memoryUsage();
  globalThis.gc?.();
  process.send?.({ rss, rssCollected: process.memoryUsage().rss });
});
await once(process, "message");
const tree = await startSupervisor({
  strategy: "one_for_one",
  children: {
    web: web.child({
      port: 0,
      sockets: { "/socket": { connect: () => ({}), channels: [lobby] } },
      // All clients come at once and from one address.
      limits: { maxConnections: 1e6, maxConnectionsPerAddress: 1e6, connectionsPerSecond: 1e6 },
    }),
  },
});
process.send?.(await tree.children.web.call.address());
