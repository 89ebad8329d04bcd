// A3b: as A3, but the producer keeps a single page and lets the older ones go: 1, 2 and 7 are scraped.
import { child, consumer, run } from "sluice";
import { attach } from "sluice/telemetry";
import { PageProducer, pages, scrape, type Page } from "./pages.ts";

const discards = attach("sluice.stage.discarded", ({ count }) =>
  console.info(`discarded ${count}`),
);

const scraper = child(
  consumer(([page]: readonly Page[], context) => scrape(page!, context)),
  { subscribeTo: [{ to: pages, minDemand: 0, maxDemand: 1 }] },
);

await run(
  {
    strategy: "one_for_one",
    children: {
      producer: child(PageProducer, { name: pages, bufferSize: 1 }),
      consumerA: scraper,
      consumerB: scraper,
    },
  },
  {
    ready() {
      pages.cast.scrape(["page1", "page2", "page3", "page4", "page5"]);
      pages.cast.scrape(["page6", "page7"]);
    },
  },
);
discards[Symbol.dispose]();
