import { monitorEventLoopDelay } from "node:perf_hooks";
import { start, startSupervisor, withSystem } from "sluice";
import type { Announces } from "sluice/presence";
import { Guest, here } from "./bench.ts";

const guests = 1_000;

/** What came of it. */
export interface Explosion {
  readonly keys: number;
  readonly metasOfOne: number;
  /** By the limit that refused it. */
  readonly refused: { readonly [limit: string]: number };
  readonly huge: unknown;
  readonly diffs: number;
  readonly largestDiff: number;
  /** With the work of the test itself. */
  readonly loopP99Ms: number;
  readonly rssMiB: number;
  /** When all who tracked have ended. */
  readonly left: number;
}

/** R55: so many keys for each of 1,000 processes, in one topic; one key for all of them; a meta of 1 MB. */
export function explode(perGuest: number): Promise<Explosion> {
  return withSystem(async () => {
    let largestDiff = 0;
    let diffs = 0;
    const to: Announces = {
      "~clients": () => 1,
      "~announce"(_system, _topic, _event, payload) {
        largestDiff = Math.max(largestDiff, JSON.stringify(payload).length);
        diffs++;
      },
    };
    await using _app = await startSupervisor({
      strategy: "one_for_one",
      children: { here: here.child({ to, limits: { maxPerProcess: 2 * perGuest } }) },
    });
    const all = await Promise.all(Array.from({ length: guests }, () => start(Guest)));
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const refused: { [limit: string]: number } = {};
    const count = (why: unknown): void => {
      const limit = String(why);
      if (limit.startsWith("max")) refused[limit] = (refused[limit] ?? 0) + 1;
    };
    const text = "x".repeat(200);
    // All at once, each one key after the other.
    await Promise.all(
      all.map(async (guest, g) => {
        for (let n = 0; n < perGuest; n++)
          count(await guest.call.why("track", `${g}/${n}`, { n, text }));
        count(await guest.call.why("track", "one", { text }, "u"));
      }),
    );
    const huge = await all[0]!.call.why("track", "huge", { text: "x".repeat(2 ** 20) }, "u");
    await until(() => diffs > 0);
    const keys = await here.count("t");
    const metasOfOne = (await here.getByKey("u", "one"))?.metas.length ?? 0;
    delay.disable();
    for (const guest of all) guest.stop().catch(() => {});
    await Promise.all(all.map(({ exited }) => exited));
    let left = -1;
    await until(async () => (left = (await here.count("t")) + (await here.count("u"))) === 0);
    const rssMiB = Math.round(process.memoryUsage.rss() / 2 ** 20);
    const loopP99Ms = Math.round(delay.percentile(99) / 1e6);
    return { keys, metasOfOne, refused, huge, diffs, largestDiff, loopP99Ms, rssMiB, left };
  });
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`never came: ${String(holds)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
