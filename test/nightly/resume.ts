// R79 at its full size: a part of `npm run test:nightly`. Fails when anything was missed, doubled or reordered; puts the figures
// down.
import { ledger } from "../integration/support/resume-ledger.ts";
import { score } from "../scoreboard.ts";
import { check } from "./support/check.ts";

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
const { clients, topics, messages } = size;
score(
  "R79",
  `${clients} clients, ${topics} topics with ${messages} messages each, lines that break`,
  JSON.stringify(account),
);
const { missed, doubled, reordered } = account;
check("R79", "the account", {
  missed: [missed, 0],
  doubled: [doubled, 0],
  reordered: [reordered, 0],
});
