// Clients that resume, over real sockets that break.
import { describe, expect, it } from "vitest";
import { ledger, type LedgerSize } from "./support/resume-ledger.ts";

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** One connection in twenty breaks, again and again. */
const tease: LedgerSize["disturb"] = async (proxy, random, isOver) => {
  while (!isOver()) {
    await pause(40);
    proxy.cut(() => random() < 0.05);
  }
};

const untouched = { missed: 0, doubled: 0, reordered: 0 };

describe("clients whose connections break", () => {
  it("lose nothing, see nothing twice, and everything in order, whichever breaks when (R79)", async () => {
    const size = { clients: 40, topics: 5, joins: 2, messages: 400, kept: 1_000, seed: 1 };
    const account = await ledger({ ...size, disturb: tease });
    expect(account).toMatchObject({ ...untouched, lost: 0, delivered: 40 * 2 * 400 });
    expect(account.reconnects).toBeGreaterThan(20);
    expect(account.resumed).toBeGreaterThan(20);
  }, 120_000);

  it("are told where they are away for longer than messages are kept, and miss nothing else (R79)", async () => {
    const size = { clients: 20, topics: 2, joins: 1, messages: 600, kept: 20, seed: 2 };
    const account = await ledger({
      ...size,
      async disturb(proxy, _random, isOver) {
        while (!isOver()) {
          await pause(300);
          proxy.isDown = true;
          proxy.cut();
          await pause(200);
          proxy.isDown = false;
        }
      },
    });
    expect(account).toMatchObject(untouched);
    expect(account.lost).toBeGreaterThan(20);
    expect(account.delivered).toBeLessThan(20 * 600);
  }, 120_000);

  it("get every message through network drops of two seconds: 100 %", async () => {
    const size = { clients: 10, topics: 1, joins: 1, messages: 2_500, kept: 2_500, seed: 3 };
    const account = await ledger({
      ...size,
      async disturb(proxy, _random, isOver) {
        while (!isOver()) {
          await pause(500);
          proxy.isDown = true;
          proxy.cut();
          await pause(2_000);
          proxy.isDown = false;
        }
      },
    });
    expect(account).toMatchObject({ ...untouched, lost: 0, delivered: 10 * 2_500 });
    expect(account.reconnects).toBeGreaterThan(10);
  }, 120_000);
});
