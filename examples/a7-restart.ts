// A7: starting what already runs: stop it, start again; names are free, nothing is left over.
import { SluiceError, child, name, startSupervisor, stop, type Supervisor } from "sluice";
import { PageProducer, pages } from "./pages.ts";

const scraper = name<Supervisor>("scraper");
const tree = {
  strategy: "one_for_one",
  name: scraper,
  children: { producer: child(PageProducer, { name: pages }) },
} as const;

async function restart(): Promise<void> {
  try {
    await startSupervisor(tree);
    console.info("started");
  } catch (error) {
    if (!SluiceError.is(error, "SLUICE_ALREADY_REGISTERED")) throw error;
    console.info(`${error.details.key} runs already: stopping it`);
    await stop(error.details.holder);
    return restart();
  }
}

await restart();
await restart();
await stop(scraper);
console.info(`${scraper.key} is ${scraper.whereis() === undefined ? "gone" : "there"}`);
