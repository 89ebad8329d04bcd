import { Socket } from "phoenix";
import { expect, it } from "vitest";
import { withSystem } from "sluice";
import { memoryTransport, simulate } from "sluice/testing";
import { skeleton } from "./skeleton.ts";

const lines = Array.from({ length: 50 }, (_, index) => `line ${index + 1}`);

it("a source reaches a joined stock client through supervised tasks, over a real socket", async () => {
  await withSystem(async () => {
    const connect = (url: string): Socket => new Socket(url, { transport: WebSocket });
    const { received, delivered } = await skeleton(lines, 0, connect);
    expect(received.toSorted()).toEqual(lines.toSorted());
    expect(delivered).toBe(lines.length);
  });
});

it("the same program runs on the simulated Runtime, in 100 orders", async () => {
  const orders = new Set<string>();
  await simulate(
    async () => {
      const transport = memoryTransport() as unknown as typeof WebSocket;
      const { received, delivered } = await skeleton(
        lines,
        4000,
        (url) => new Socket(url, { transport }),
      );
      expect(received.toSorted()).toEqual(lines.toSorted());
      expect(delivered).toBe(lines.length);
      orders.add(received.join());
    },
    { seeds: 100 },
  );
  expect(orders.size).toBeGreaterThan(1);
});
