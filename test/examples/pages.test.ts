import { describe, expect, it, vi } from "vitest";
import { simulate } from "sluice/testing";
import { simulated, started } from "./example.ts";

/** What an example prints, by the second of its start: within one second, the order is that of the run queue. */
type Seconds = readonly (readonly string[])[];

interface Scenario {
  readonly file: string;
  readonly says: string;
  readonly prints: Seconds;
}

const scraping = (...pages: readonly number[]): string[] =>
  pages.map((page) => `scraping page${page}`);
const demand = (...counts: readonly number[]): string[] =>
  counts.map((count) => `demand for ${count}`);

const scenarios: readonly Scenario[] = [
  {
    file: "a1-first-demand.ts",
    says: "a consumer with default options asks for 1000, once",
    prints: [demand(1000)],
  },
  {
    file: "a2-demand-window.ts",
    says: "window {0, 3}: batches of 3, and only what the buffer cannot serve is asked of the producer",
    prints: [["demand for 3", "page1 page2 page3", "page4 page5 page6", "page7", "demand for 2"]],
  },
  {
    file: "a3-two-consumers.ts",
    says: "two consumers work in parallel, never a batch above one",
    prints: [
      [...demand(1, 1), ...scraping(1, 2)],
      scraping(3, 4),
      scraping(5, 6),
      [...scraping(7), ...demand(1)],
      demand(1),
    ],
  },
  {
    file: "a3b-bounded-buffer.ts",
    says: "a buffer of one lets the older pages go: 1, 2 and 7 are scraped",
    prints: [
      [...demand(1, 1), "discarded 2", "discarded 2", ...scraping(1, 2)],
      [...scraping(7), ...demand(1)],
      demand(1),
    ],
  },
  {
    file: "a4-consumer-supervisor.ts",
    says: "two children at once, each exit asks for one more",
    prints: [
      [...demand(2), ...scraping(1, 2)],
      scraping(3, 4),
      [...scraping(5), ...demand(1)],
      demand(1),
    ],
  },
];

/** The lines of each second, sorted. */
function bySecond(
  printed: readonly { readonly atMs: number; readonly text: string }[],
): string[][] {
  const seconds: string[][] = [];
  for (const { atMs, text } of printed) (seconds[Math.floor(atMs / 1_000)] ??= []).push(text);
  return Array.from(seconds, (lines) => (lines ?? []).toSorted());
}

describe.each(scenarios)("$file: $says", ({ file, prints }) => {
  it("simulated, whatever the order of the run queue", async () => {
    await simulate(
      async (simulation) => {
        const printed = await simulated(simulation, file, () => simulation.advance(9_000));
        expect(bySecond(printed)).toEqual(prints.map((lines) => lines.toSorted()));
      },
      { seeds: 10 },
    );
  });

  it("for real, and drains when it is told to end", async () => {
    await using example = started(file);
    const all = prints.flat().toSorted();
    await vi.waitFor(() => expect(example.lines.toSorted()).toEqual(all), 15_000);
    expect(await example.end()).toBe(0);
  });
});

const pagesOf = (printed: readonly { readonly text: string }[]): string[] =>
  printed.map(({ text }) => text).filter((text) => text.startsWith("scraping"));

describe.each([
  { file: "a5-filter.ts", says: "pages that are offline never stall the flow" },
  { file: "a6-registry.ts", says: "two filters by name feed one consumer supervisor" },
])("$file: $says", ({ file }) => {
  it("simulated", async () => {
    await simulate(
      async (simulation) => {
        const printed = await simulated(simulation, file, () => simulation.advance(9_000));
        expect(pagesOf(printed).toSorted()).toEqual(scraping(2, 4, 6));
        const starts = printed
          .filter(({ text }) => text.startsWith("scraping"))
          .map(({ atMs }) => atMs);
        // Two at once at most: the third starts when one of the first two has had its second.
        expect(starts[2]! - starts[0]!).toBeGreaterThanOrEqual(1_000);
      },
      { seeds: 10 },
    );
  });

  it("for real, and drains when it is told to end", async () => {
    await using example = started(file);
    await vi.waitFor(() => {
      expect(pagesOf(example.lines.map((text) => ({ text }))).toSorted()).toEqual(
        scraping(2, 4, 6),
      );
    }, 10_000);
    expect(await example.end()).toBe(0);
  });
});

describe("a6-registry.ts", () => {
  it("prints the tree as Mermaid", async () => {
    await simulate(
      async (simulation) => {
        const printed = await simulated(simulation, "a6-registry.ts", () => simulation.advance(1));
        const drawn = printed.find(({ text }) => text.startsWith("flowchart"))!.text;
        expect(drawn).toContain('["onlineA"]');
        expect(drawn.match(/-->\|1\|/g)).toHaveLength(4);
      },
      { seeds: 1 },
    );
  });
});

describe("a7-restart.ts: what already runs is stopped and started again, and nothing is left over", () => {
  const lines = ["started", "scraper runs already: stopping it", "started", "scraper is gone"];

  it("simulated", async () => {
    await simulate(
      async (simulation) => {
        const printed = await simulated(simulation, "a7-restart.ts", () => simulation.advance(100));
        expect(printed.map(({ text }) => text)).toEqual(lines);
      },
      { seeds: 10 },
    );
  });

  it("for real, ending by itself", async () => {
    await using example = started("a7-restart.ts");
    expect(await example.exited).toBe(0);
    expect(example.lines).toEqual(lines);
  });
});
