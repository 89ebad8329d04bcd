import { expect, it } from "vitest";
import { attach } from "sluice/telemetry";
import { score } from "../scoreboard.ts";
import { inWords } from "./summary.ts";
import { summary, worlds } from "./world.ts";

it(
  "nodes that come, go, crash, are cut off, and lose, double and reorder messages, see the same in the end, and so do their clients: no ghost, and nobody lost, in 500 seeds; one that stops is gone at once, one that is killed within the down period (R53, R54, C110, C111, C115, L122)",
  { timeout: 300_000 },
  async () => {
    using _crashes = attach("sluice.log", () => {});
    const all = summary(await worlds(500));
    score("R53", "presence, three to five nodes", inWords(all));
    expect([all.seeds, all.traces]).toEqual([500, 500]);
    // The longest that a message is under way; with the down period and a beat.
    expect(all.mostStopMs).toBeLessThanOrEqual(4_500);
    expect(all.mostKillMs).toBeLessThanOrEqual(4_500 + 6_000 + 1_500);
  },
);
