// A1: a consumer with default options asks for 1000 once; then nothing happens until pages are pushed.
import { Consumer, child, run } from "sluice";
import { PageProducer, pages, scrape, type Page } from "./pages.ts";

class PageConsumer extends Consumer<Page> {
  override async handleEvents(events: readonly Page[]): Promise<void> {
    for (const page of events) await scrape(page, this.self);
  }
}

await run({
  strategy: "one_for_one",
  children: {
    producer: child(PageProducer, { name: pages }),
    consumer: child(PageConsumer, { subscribeTo: [pages] }),
  },
});
