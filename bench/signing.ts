// What a message between two nodes costs more when they sign: `npm run bench:signing -- [--gate]`. One node broadcasts,
// one hears; the CPU time of this thread per message, with secrets and without; medians of interleaved pairs.
import { Process, start, startSupervisor } from "sluice";
import { pubsub, topic } from "sluice/pubsub";
import { memoryHub, type MemoryNode } from "sluice/testing";
import { percentile, report } from "./gauge.ts";

const secrets = ["only-for-this-bench-0123456789-abcdef"];
const messages = 10_000;
/** Fewer than the broker may hold unconfirmed. */
const atOnce = 500;
const pairs = 7;
const news = topic<string>("news");

class Ear extends Process {
  count = 0;
  protected override async init(): Promise<void> {
    await news.subscribe(this.self, () => void this.count++).confirmed;
  }
  heard(): number {
    return this.count;
  }
}

async function cpuUs(bytes: number, trusted: boolean): Promise<number> {
  const hub = memoryHub();
  const [here, there] = [hub.node(), hub.node()];
  const joined = ({ adapter, run }: MemoryNode) =>
    run(() =>
      startSupervisor({
        strategy: "one_for_one",
        children: { pubsub: pubsub({ adapter, secrets: trusted ? "trusted" : secrets }) },
      }),
    );
  await using _here = await joined(here);
  await using _there = await joined(there);
  await using ear = await there.run(() => start(Ear));
  const said = here.system.of(news);
  const payload = "x".repeat(bytes);
  const before = process.threadCpuUsage();
  for (let sent = atOnce; sent <= messages; sent += atOnce) {
    for (let n = 0; n < atOnce; n++) said.broadcast(payload);
    while ((await ear.call.heard()) < sent) await new Promise(setImmediate);
  }
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / messages;
}

const figures: Record<string, number> = {};
for (const bytes of [100, 1_000, 8_000]) {
  await cpuUs(bytes, true);
  await cpuUs(bytes, false);
  const [plain, more]: [number[], number[]] = [[], []];
  for (let pair = 0; pair < pairs; pair++) {
    const trustedFirst = pair % 2 === 0;
    const first = await cpuUs(bytes, trustedFirst);
    const second = await cpuUs(bytes, !trustedFirst);
    const [without, signed] = trustedFirst ? [first, second] : [second, first];
    plain.push(without);
    more.push(signed - without);
  }
  figures[`unsigned${bytes}Us`] = percentile(plain, 0.5);
  figures[`signing${bytes}Us`] = percentile(more, 0.5);
}
report(figures, { signing100Us: { atMost: 20 }, signing1000Us: { atMost: 25 } });
