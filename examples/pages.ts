// What A1-A7 share: a producer that buffers what others push into it, and slow work.
import { Producer, name, sleep } from "sluice";
import type { Context, Name } from "sluice";

export type Page = `page${number}`;

export class PageProducer extends Producer<Page> {
  override handleDemand(demand: number): void {
    console.info(`demand for ${demand}`);
  }
  scrape(pages: readonly Page[]): void {
    this.emit(pages);
  }
}

export const pages: Name<PageProducer> = name("pages");

/** A second of work. */
export async function scrape(page: Page, { signal }: Context): Promise<void> {
  console.info(`scraping ${page}`);
  await sleep(1_000, signal);
}

/** Half of the pages are online; it takes a tenth of a second to know. */
export async function isOnline(page: Page, { signal }: Context): Promise<boolean> {
  await sleep(100, signal);
  return Number(page.slice("page".length)) % 2 === 0;
}
