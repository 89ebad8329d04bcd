// A6: a family of names (a unique registry); one consumer supervisor fed by two filters, demand tracked for each.
import {
  child,
  consumerSupervisor,
  filter,
  names,
  run,
  topology,
  type ProducerConsumer,
} from "sluice";
import { PageProducer, isOnline, pages, scrape, type Page } from "./pages.ts";

const online = names<ProducerConsumer<Page, Page>>("online");
const filterInto = (id: string) =>
  child(filter(isOnline), {
    name: online(id),
    subscribeTo: [{ to: pages, minDemand: 0, maxDemand: 1 }],
  });

await run(
  {
    strategy: "rest_for_one",
    children: {
      producer: child(PageProducer, { name: pages }),
      onlineA: filterInto("a"),
      onlineB: filterInto("b"),
      scrapers: consumerSupervisor(scrape, {
        restart: "transient",
        subscribeTo: [
          { to: online("a"), maxDemand: 1 },
          { to: online("b"), maxDemand: 1 },
        ],
      }),
    },
  },
  {
    ready(app) {
      console.info(topology(app).mermaid);
      pages.cast.scrape(["page1", "page2", "page3", "page4", "page5", "page6"]);
    },
  },
);
