// A4: one task per page, two at once; the end of each asks for one more.
import { child, consumerSupervisor, run } from "sluice";
import { PageProducer, pages, scrape } from "./pages.ts";

await run(
  {
    strategy: "one_for_one",
    children: {
      producer: child(PageProducer, { name: pages }),
      scrapers: consumerSupervisor(scrape, {
        restart: "transient",
        subscribeTo: [{ to: pages, maxDemand: 2 }],
      }),
    },
  },
  { ready: () => pages.cast.scrape(["page1", "page2", "page3", "page4", "page5"]) },
);
