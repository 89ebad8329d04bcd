import {
  Consumer,
  Process,
  Producer,
  SluiceError,
  child,
  consumerSupervisor,
  map,
  name,
  sleep,
  startSupervisor,
  type ChildSpec,
  type Name,
  type ProducerConsumer,
} from "sluice";
import { attach } from "sluice/telemetry";
import type { Simulation } from "sluice/testing";
import { Accounts, type Made, type Wire } from "./accounts.ts";

/** Events in all, over the incarnations of their source. */
const total = 60;
export const window: { readonly maxDemand: number; readonly minDemand: number } = {
  maxDemand: 8,
  minDemand: 3,
};
const supervision = { strategy: "rest_for_one", maxRestarts: 1_000 } as const;

export const source: Name<Producer<Made>> = name<Producer<Made>>("source");
export const processor: Name<ProducerConsumer<Made, Made>> =
  name<ProducerConsumer<Made, Made>>("processor");

/** A simulated program. */
export type Program = (simulation: Simulation) => Promise<void>;

/** Runs a tree under its books, then lets it come to rest and closes them. */
export async function program(
  simulation: Simulation,
  children: (accounts: Accounts) => { readonly [id: string]: ChildSpec<unknown> },
  wire?: Wire,
): Promise<void> {
  using _silent = attach("sluice.log", () => {});
  using accounts = new Accounts(simulation, wire);
  await using app = await startSupervisor({ ...supervision, children: children(accounts) });
  await simulation.advance(2_000);
  simulation.calm();
  await simulation.advance(60_000);
  accounts.close(app, total);
}

/** Makes events as they are asked for, each once. */
export function counting(accounts: Accounts): ChildSpec<Producer<Made>> {
  let last = 0;
  class Counting extends Producer<Made> {
    protected override handleDemand(demand: number): Made[] {
      const events: Made[] = [];
      while (events.length < demand && last < total)
        events.push({ id: last++, atMs: performance.now() });
      accounts.makes(this, events.length);
      return events;
    }
  }
  return child(Counting, { name: source });
}

/** Handles events in the order in which they were made, each once, now or later. */
function handling(
  accounts: Accounts,
  simulation: Simulation,
  to: typeof source | typeof processor,
  takesMs: number,
): ChildSpec<Consumer<Made>> {
  class Sink extends Consumer<Made> {
    #last = -1;
    protected override handleEvents(events: readonly Made[]): void | Promise<void> {
      if (events.length > window.maxDemand - window.minDemand)
        throw new Error(`a batch of ${events.length}`);
      for (const event of events) {
        if (event.id <= this.#last) accounts.fail(`${event.id} came after ${this.#last}`);
        this.#last = event.id;
      }
      return takesMs === 0 ? this.#done(events) : this.#later(events);
    }
    async #later(events: readonly Made[]): Promise<void> {
      await sleep(simulation.random() * takesMs);
      this.#done(events);
    }
    #done(events: readonly Made[]): void {
      for (const event of events) accounts.ends(event);
    }
  }
  return child(Sink, { subscribeTo: [{ to, ...window }] });
}

const processing = (work: (event: Made) => Made | Promise<Made>) =>
  child(map(work), { name: processor, subscribeTo: [{ to: source, ...window }] });

/** A producer, a processor and three consumers. `wire`: what each message between them goes through. */
export const flow =
  (wire?: Wire): Program =>
  (simulation) =>
    program(
      simulation,
      (accounts) => ({
        source: counting(accounts),
        processor: processing((event) => event),
        a: handling(accounts, simulation, processor, 0),
        b: handling(accounts, simulation, processor, 0),
        c: handling(accounts, simulation, processor, 0),
      }),
      wire,
    );

/** The same with a processor and consumers that take their time. */
export const slowFlow: Program = (simulation) =>
  program(simulation, (accounts) => ({
    source: counting(accounts),
    processor: processing(async (event) => {
      await sleep(simulation.random() * 10);
      return event;
    }),
    a: handling(accounts, simulation, processor, 20),
    b: handling(accounts, simulation, processor, 0),
  }));

/** Somebody pushes, and waits until each event is taken or buffered. */
export const offers: Program = (simulation) =>
  program(simulation, (accounts) => {
    let last = 0;
    class Inbox extends Producer<Made> {
      push(): Promise<void> {
        const offer = this.offer([{ id: last++, atMs: performance.now() }]);
        void offer.then(
          () => accounts.makes(this, 1),
          () => {},
        );
        return offer;
      }
    }
    const inbox = name<Inbox>("source");
    class Pusher extends Process {
      protected override init(): void {
        this.#push();
      }
      #push(): void {
        this.self.task(
          () => inbox.call.push(),
          // A crash of the inbox refuses the call: the next event is pushed to its next incarnation.
          (result) => {
            if (result.status === "rejected" && SluiceError.is(result.reason, "SLUICE_TIMEOUT"))
              accounts.fail("an offer was neither taken nor refused");
            if (accounts.total < total) this.self.after(1, () => this.#push());
          },
        );
      }
    }
    return {
      inbox: child(Inbox, { name: inbox, bufferSize: 1 }),
      processor: processing((event) => event),
      a: handling(accounts, simulation, processor, 10),
      pusher: child(Pusher),
      another: child(Pusher),
      third: child(Pusher),
    };
  });

/** A child per event, as many at once as were asked for; a crashed one is tried again with the same event. */
export const crew: Program = (simulation) =>
  program(simulation, (accounts) => {
    let running = 0;
    const work = async (event: Made): Promise<void> => {
      running++;
      try {
        await sleep(simulation.random() * 20);
        accounts.ends(event, true);
      } finally {
        running--;
      }
    };
    simulation.always("no more children than were asked for", () => running <= window.maxDemand);
    return {
      source: counting(accounts),
      workers: consumerSupervisor(work, {
        restart: "transient",
        maxRestarts: 1_000,
        subscribeTo: [{ to: source, ...window }],
      }),
    };
  });
