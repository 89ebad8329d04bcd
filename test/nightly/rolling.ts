// R57 at its full size: `npm run test:nightly`. Three nodes behind each real broker, 300 stock clients; prints the figures, and
// fails when a client missed anything, was told anything twice or in another order, or that something is missing.
import { roll } from "../cluster/rolling.ts";
import { startServer } from "../support/servers/server.ts";

const durable = {
  nats: [],
  redis: ["--appendfsync", "always"],
  postgres: ["-c", "fsync=on"],
} as const;

for (const kind of ["nats", "redis", "postgres"] as const) {
  const server = await startServer(kind, { args: durable[kind] });
  try {
    const { missed, doubled, reordered, gaps } = await roll(kind, server.url, {
      clients: 300,
      restarts: 3,
    });
    if (missed + doubled + reordered + gaps > 0) throw new Error(`R57: not so behind ${kind}`);
  } finally {
    await server.stop();
  }
}
// The clients' library may still hold timers.
process.exit();
