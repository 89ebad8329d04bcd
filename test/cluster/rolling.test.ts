// R57 in short: `npm run test:nightly` restarts all nodes, under 300 clients, behind each broker.
import { expect, it } from "vitest";
import { describeOn } from "../support/servers/on-server.ts";
import { roll } from "./rolling.ts";

describeOn("nats", "one of three nodes behind nats, told to end and started again", (server) => {
  it("sends clients away, who come back by themselves and miss nothing (R57)", async () => {
    const size = { clients: 30, restarts: 1 };
    const { acked, away, ...faults } = await roll("nats", server().url, size);
    expect(faults).toEqual({ missed: 0, doubled: 0, reordered: 0, gaps: 0 });
    expect(acked).toBeGreaterThanOrEqual(2 * (20 + 20));
    // A third of them was at that node.
    expect(away).toBeGreaterThanOrEqual(size.clients / 3);
  }, 200_000);
});
