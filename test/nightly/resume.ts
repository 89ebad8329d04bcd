// R79 at its full size: `npm run test:nightly`. Fails when anything was missed, doubled or reordered; prints the figures.
import { ledger } from "../integration/support/resume-ledger.ts";

const size = { clients: 500, topics: 20, joins: 2, messages: 2_000, kept: 2_000, seed: 79 };
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const account = await ledger({
  ...size,
  async disturb(proxy, random, isOver) {
    while (!isOver()) {
      await pause(100);
      proxy.cut(() => random() < 0.02);
    }
  },
});
console.info(`R79: ${JSON.stringify({ ...size, ...account })}`);
const { missed, doubled, reordered } = account;
if (missed + doubled + reordered > 0) throw new Error("R79: the account does not balance");
