// A5: a producer-consumer drops pages that are offline, half of them; the flow never stalls.
import { child, consumerSupervisor, filter, name, run, type ProducerConsumer } from "sluice";
import { PageProducer, isOnline, pages, scrape, type Page } from "./pages.ts";

const online = name<ProducerConsumer<Page, Page>>("online");

await run(
  {
    strategy: "rest_for_one",
    children: {
      producer: child(PageProducer, { name: pages }),
      online: child(filter(isOnline), {
        name: online,
        subscribeTo: [{ to: pages, minDemand: 0, maxDemand: 1 }],
      }),
      scrapers: consumerSupervisor(scrape, {
        restart: "transient",
        subscribeTo: [{ to: online, maxDemand: 2 }],
      }),
    },
  },
  { ready: () => pages.cast.scrape(["page1", "page2", "page3", "page4", "page5", "page6"]) },
);
