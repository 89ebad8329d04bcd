// A2: window {0, 3}; 5 + 2 pages arrive as [1, 2, 3], [4, 5, 6], [7].
import { child, consumer, run } from "sluice";
import { PageProducer, pages, type Page } from "./pages.ts";

const print = consumer((events: readonly Page[]) => console.info(events.join(" ")));

await run(
  {
    strategy: "one_for_one",
    children: {
      producer: child(PageProducer, { name: pages }),
      consumer: child(print, { subscribeTo: [{ to: pages, minDemand: 0, maxDemand: 3 }] }),
    },
  },
  {
    ready() {
      pages.cast.scrape(["page1", "page2", "page3", "page4", "page5"]);
      pages.cast.scrape(["page6", "page7"]);
    },
  },
);
