// A3: two consumers, one page each at a time. A3b: the producer keeps a single page and drops the older ones.
import { child, consumer, run } from "sluice";
import { PageProducer, pages, work, type Page } from "./pages.ts";

const scrape = child(
  consumer((_: readonly Page[]) => work()),
  { subscribeTo: [{ to: pages, minDemand: 0, maxDemand: 1 }] },
);

await run(
  {
    strategy: "one_for_one",
    children: {
      producer: child(PageProducer, { name: pages, bufferSize: 1 }),
      consumerA: scrape,
      consumerB: scrape,
    },
  },
  {
    ready() {
      pages.cast.scrape(["page1", "page2", "page3", "page4", "page5"]);
      pages.cast.scrape(["page6", "page7"]);
    },
  },
);
