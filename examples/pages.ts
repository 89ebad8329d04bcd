// What A1-A7 share: a producer that buffers what others push into it, and slow work.
import { Producer, name, sleep } from "sluice";
import type { Name } from "sluice";

export type Page = `page${number}`;

export class PageProducer extends Producer<Page> {
  override handleDemand(demand: number): void {
    console.info(`demand for ${demand} pages`);
  }
  scrape(pages: readonly Page[]): void {
    this.emit(pages);
  }
}

export const pages: Name<PageProducer> = name("pages");
export const work = (signal?: AbortSignal): Promise<void> => sleep(1_000, signal);
export const isOnline = (page: Page): Promise<boolean> => work().then(() => !page.endsWith("3"));
