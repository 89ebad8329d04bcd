import { Consumer, ProducerConsumer, child, sleep, type ChildSpec, type From } from "sluice";
import type { Simulation } from "sluice/testing";
import type { Accounts, Made } from "./accounts.ts";
import { counting, processor, program, source, window, type Program } from "./flow.ts";

/** What is promised of the order of events. */
export type Order = "ordered" | "unordered" | "keyed";

const places = 4;
const keyOf = ({ id }: Made): number => id % 3;

/** Works on a few events at once, each in its time, and books that it is never more, and of a key never two. */
function working(accounts: Accounts, simulation: Simulation, order: Order): ChildSpec<Working> {
  return child(Working, {
    name: processor,
    args: [accounts, simulation, order],
    concurrency: places,
    order,
    ...(order === "keyed" ? { key: keyOf } : {}),
    subscribeTo: [{ to: source, ...window }],
  });
}

class Working extends ProducerConsumer<Made, Made> {
  readonly #accounts: Accounts;
  readonly #simulation: Simulation;
  readonly #isKeyed: boolean;
  readonly #inHand: Set<Made> = new Set();

  constructor(accounts: Accounts, simulation: Simulation, order: Order) {
    super();
    this.#accounts = accounts;
    this.#simulation = simulation;
    this.#isKeyed = order === "keyed";
  }

  protected override handleEvents(
    events: readonly Made[],
  ): readonly Made[] | Promise<readonly Made[]> {
    // Some are done at once.
    return this.#simulation.random() < 0.2 ? events : this.#later(events);
  }

  async #later(events: readonly Made[]): Promise<readonly Made[]> {
    const event = events[0]!;
    if (events.length > 1) this.#accounts.fail(`a call with ${events.length} events`);
    if (this.#isKeyed && [...this.#inHand].some((other) => keyOf(other) === keyOf(event)))
      this.#accounts.fail(`${event.id} beside another of its key`);
    this.#inHand.add(event);
    if (this.#inHand.size > places) this.#accounts.fail(`${this.#inHand.size} calls at once`);
    await sleep(this.#simulation.random() * 20);
    this.#inHand.delete(event);
    return events;
  }
}

/** Begins events in the order that it was promised, and meddles with its subscription meanwhile. */
function meddling(
  accounts: Accounts,
  simulation: Simulation,
  order: Order,
): ChildSpec<Consumer<Made>> {
  class Meddling extends Consumer<Made> {
    readonly #last: Map<number, number> = new Map();
    #from: From | undefined = undefined;
    #paused = false;
    #left = 200;

    protected override handleSubscribe(_role: unknown, _terms: unknown, from: From): void {
      this.#from = from;
      this.self.every(7, () => this.#meddle());
    }
    #meddle(): void {
      if (this.#left-- <= 0) return this.#rest();
      const dice = simulation.random();
      if (dice < 0.3) this.#pause();
      else if (dice < 0.7) this.#resume();
      else this.#from!.setDemand({ maxDemand: 1 + Math.floor(dice * window.maxDemand) });
    }
    #pause(): void {
      this.#paused = true;
      this.#from!.pause();
    }
    #resume(): void {
      this.#paused = false;
      this.#from!.resume();
    }
    #rest(): void {
      if (this.#paused) this.#resume();
    }
    protected override async handleEvents(events: readonly Made[]): Promise<void> {
      if (this.#paused) accounts.fail("handled while paused");
      for (const event of events) this.#check(event);
      await sleep(simulation.random() * 10);
      for (const event of events) accounts.ends(event);
    }
    #check(event: Made): void {
      if (order === "unordered") return;
      const lane = order === "keyed" ? keyOf(event) : 0;
      const last = this.#last.get(lane) ?? -1;
      if (event.id <= last) accounts.fail(`${event.id} came after ${last}`);
      this.#last.set(lane, event.id);
    }
  }
  return child(Meddling, { concurrency: 3, subscribeTo: [{ to: processor, ...window }] });
}

/** A source, a processor with work in flight in that order, and a consumer that pauses, resumes and sets its demand. */
export const concurrentFlow =
  (order: Order): Program =>
  (simulation) =>
    program(simulation, (accounts) => ({
      source: counting(accounts),
      processor: working(accounts, simulation, order),
      sink: meddling(accounts, simulation, order),
    }));
