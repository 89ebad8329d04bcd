// A3: two consumers, one page each at a time.
import { child, consumer, run } from "sluice";
import { PageProducer, pages, scrape, type Page } from "./pages.ts";

const scraper = child(
  consumer(([page]: readonly Page[], context) => scrape(page!, context)),
  { subscribeTo: [{ to: pages, minDemand: 0, maxDemand: 1 }] },
);

await run(
  {
    strategy: "one_for_one",
    children: {
      producer: child(PageProducer, { name: pages }),
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
