import type { DispatchTerms, Dispatcher } from "../stage/index.ts";
import { DispatcherBench, type BenchSubscriber } from "./dispatcher-bench.ts";
import type { DispatcherSuiteOptions } from "./dispatcher-suite.ts";
import { seededRandom } from "./seeded-random.ts";

/** What a run looks for; each is a case of the suite. */
export type Rule =
  | "asked"
  | "taken"
  | "demand"
  | "conservation"
  | "order"
  | "serial"
  | "progress"
  | "afterQueued";

/** A consumer as the engine has them: it handles in order, and fills its window up again when enough is handled. */
interface Consumer<T> {
  /** Which of the subscriptions it has. */
  readonly index: number;
  readonly subscriber: BenchSubscriber;
  readonly maxDemand: number;
  readonly minDemand: number;
  readonly inbox: T[];
  pending: number;
  /** The number of the last event of each order that it got. */
  readonly last: Map<unknown, number>;
}

/** One random life of a dispatcher, with a stage and consumers around it as they are. */
export class DispatcherRun<T> {
  readonly violations: Map<Rule, string> = new Map();
  readonly #options: DispatcherSuiteOptions<T>;
  readonly #random: () => number;
  readonly #bench: DispatcherBench<T>;
  readonly #consumers: Map<number, Consumer<T>> = new Map();
  /** Consumers that have cancelled and still handle what they got. */
  readonly #leaving: Set<Consumer<T>> = new Set();
  readonly #numbers: Map<T, number> = new Map();
  /** What the dispatcher has left, in order. */
  #buffer: T[] = [];
  #made = 0;
  #tags = 0;
  /** How many deliveries are due for what was taken, and were made. */
  #due = 0;
  #delivered = 0;
  #marks = 0;
  /** How many events had to have gone for those marks that have run in this step. */
  #ran: number[] = [];

  constructor(seed: number, options: DispatcherSuiteOptions<T>) {
    this.#options = options;
    this.#random = seededRandom(seed);
    this.#bench = new DispatcherBench<T>(options.dispatcher(), this.#random);
  }

  run(steps: number): this {
    try {
      for (let step = 0; step < steps; step++) {
        this.#step();
        this.#look();
      }
      this.#settle();
    } catch (error) {
      this.#violate("asked", String(error));
    }
    return this;
  }

  #violate(rule: Rule, what: string): void {
    if (!this.violations.has(rule)) this.violations.set(rule, what);
  }

  #below(count: number): number {
    return Math.floor(this.#random() * count);
  }

  #step(): void {
    const { subscribers = 4 } = this.#options;
    const index = this.#below(subscribers);
    const consumer = this.#consumers.get(index);
    switch (this.#below(8)) {
      case 0:
        return consumer === undefined ? this.#subscribe(index) : undefined;
      case 1:
        return consumer === undefined || this.#below(3) > 0 ? undefined : this.#end(consumer);
      case 2:
      case 3:
        return this.#dispatch(1 + this.#below(12));
      case 4:
        return this.#mark();
      default:
        for (const leaving of this.#leaving) this.#handle(leaving, 1);
        return consumer === undefined ? undefined : this.#handle(consumer, 1 + this.#below(4));
    }
  }

  #subscribe(index: number): void {
    const maxDemand = 1 + this.#below(8);
    const minDemand = this.#below(maxDemand);
    const terms: DispatchTerms<T> = this.#options.terms?.(index) ?? {};
    const tag = ++this.#tags;
    const subscriber = this.#bench.subscribe(tag, { ...terms, maxDemand, minDemand });
    const last = new Map<unknown, number>();
    const consumer = { index, subscriber, maxDemand, minDemand, inbox: [], pending: 0, last };
    this.#consumers.set(index, consumer);
    this.#ask(consumer, maxDemand);
  }

  #ask(consumer: Consumer<T>, count: number): void {
    consumer.pending += count;
    this.#bench
      .ask(consumer.subscriber.tag, count)
      .forEach(([tag, events]) => this.#got(tag, events));
    if (!this.#askedBehind()) this.#serve();
  }

  /** Does another ask wait behind this one, of a dispatcher that gathers? Then that is heard first. */
  #askedBehind(): boolean {
    const { gathers, demand } = this.#bench.dispatching;
    if (gathers === undefined || demand >= gathers || this.#below(2) === 0) return false;
    for (const other of this.#consumers.values()) {
      const { inbox, pending, minDemand } = other;
      if (inbox.length === 0 || pending - inbox.length > minDemand) continue;
      this.#handle(other, inbox.length);
      return true;
    }
    return false;
  }

  /** Dead, or by its own will: then it handles what it has got. */
  #end(consumer: Consumer<T>): void {
    const alive = this.#below(2) === 0;
    this.#consumers.delete(consumer.index);
    this.#bench.unsubscribe(consumer.subscriber.tag, alive);
    this.#pass();
    if (alive) {
      this.#leaving.add(consumer);
      this.#handle(consumer, 0);
    } else this.#serve();
  }

  #handle(consumer: Consumer<T>, most: number): void {
    const count = Math.min(most, consumer.inbox.length);
    consumer.inbox.splice(0, count);
    if (this.#leaving.has(consumer)) {
      if (consumer.inbox.length > 0) return;
      this.#leaving.delete(consumer);
      this.#bench.dispatching.released?.(consumer.subscriber);
      this.#pass();
      return this.#serve();
    }
    consumer.pending -= count;
    if (count > 0 && consumer.pending <= consumer.minDemand)
      this.#ask(consumer, consumer.maxDemand - consumer.pending);
  }

  #dispatch(count: number): void {
    for (let n = 0; n < count; n++) {
      const event = this.#options.event(this.#made);
      this.#numbers.set(event, this.#made++);
      this.#buffer.push(event);
    }
    this.#serve(true);
  }

  /** As the stage does: what waits is tried as long as somebody wants something, and when something new came. */
  #serve(always = false): void {
    if (!always && this.#bench.demand === 0) return;
    if (this.#buffer.length === 0) return;
    const before = this.#buffer;
    const { taken, handed } = this.#bench.dispatch(before, this.#made);
    this.#buffer = before.slice(taken);
    this.#reckon(before.slice(0, taken));
    for (const [tag, events] of handed) this.#got(tag, events);
    if (taken === before.length) return;
    const again = this.#bench.dispatch(this.#buffer);
    if (again.taken > 0)
      this.#violate("taken", `took ${taken} of ${before.length} and then ${again.taken} more`);
    this.#buffer = this.#buffer.slice(again.taken);
  }

  /** How many deliveries what was taken means. */
  #reckon(taken: readonly T[]): void {
    const { wanted, toAll = false, terms } = this.#options;
    for (const event of taken) {
      if (wanted?.(event) === false) continue;
      if (!toAll) this.#due++;
      else
        for (const { index } of this.#consumers.values())
          if (terms?.(index).selector?.(event) !== false) this.#due++;
    }
  }

  #pass(): void {
    for (const [tag, events] of this.#bench.handed()) this.#got(tag, events);
  }

  #got(tag: number, events: readonly T[]): void {
    const consumer = [...this.#consumers.values()].find(({ subscriber }) => subscriber.tag === tag);
    if (consumer === undefined)
      return this.#violate("asked", `delivered to subscription ${tag}, which has ended`);
    this.#delivered += events.length;
    for (const event of events) {
      this.#ordered(consumer, event);
      this.#serial(consumer, event);
      consumer.inbox.push(event);
    }
  }

  #ordered({ last }: Consumer<T>, event: T): void {
    const { orderBy } = this.#options;
    const order = orderBy?.(event);
    const number = this.#numbers.get(event)!;
    const before = last.get(order) ?? -1;
    if (number <= before) this.#violate("order", `event ${number} came behind event ${before}`);
    last.set(order, number);
  }

  #serial(consumer: Consumer<T>, event: T): void {
    const { serialBy } = this.#options;
    if (serialBy === undefined) return;
    const key = serialBy(event);
    for (const other of [...this.#consumers.values(), ...this.#leaving])
      if (other !== consumer && other.inbox.some((unfinished) => serialBy(unfinished) === key))
        this.#violate("serial", `two consumers at once are at work on ${String(key)}`);
  }

  #mark(): void {
    const { dispatching, queued } = this.#bench;
    if (queued === 0 || dispatching.afterQueued === undefined) return;
    // So many have to go at least before it may run.
    const goneBefore = this.#delivered + this.#bench.dropped;
    this.#marks++;
    dispatching.afterQueued(() => {
      this.#marks--;
      this.#ran.push(goneBefore + queued);
    });
  }

  #look(): void {
    const { demand, queued, dropped, subscribers } = this.#bench;
    const open = [...subscribers.values()].map((subscriber) => subscriber.open);
    const most = this.#options.toAll === true ? Math.max(0, ...open) : sum(open);
    if (!(demand >= 0 && demand <= most))
      this.#violate("demand", `says that ${demand} are wanted, and they want ${most}`);
    if (subscribers.size === 0 && demand !== 0)
      this.#violate("demand", `says that ${demand} are wanted, and nobody is there`);
    const gone = this.#delivered + dropped;
    for (const least of this.#ran.splice(0))
      if (gone < least) this.#violate("afterQueued", `ran when ${gone} of ${least} had gone`);
    const kept = gone + queued;
    if (kept !== this.#due)
      this.#violate("conservation", `of ${this.#due} due, ${kept} were delivered, kept or dropped`);
  }

  /** Everybody is there and goes on handling: everything has to go. */
  #settle(): void {
    const { subscribers = 4 } = this.#options;
    for (let index = 0; index < subscribers; index++)
      if (!this.#consumers.has(index)) this.#subscribe(index);
    const rounds = 20 + 2 * (this.#buffer.length + this.#bench.queued);
    for (let round = 0; round < rounds; round++) {
      for (const leaving of this.#leaving) this.#handle(leaving, Infinity);
      for (const consumer of this.#consumers.values()) this.#handle(consumer, Infinity);
      this.#look();
    }
    const left = this.#buffer.length + this.#bench.queued;
    if (left > 0) this.#violate("progress", `${left} events are stuck, though all consumers wait`);
    if (this.#marks > 0) this.#violate("afterQueued", "has not run when nothing was queued");
  }
}

const sum = (counts: readonly number[]): number => counts.reduce((all, count) => all + count, 0);

/** The shares of subscribers that always want more, after `rounds` batches of `size`. */
export function shares<T>(
  dispatcher: Dispatcher<T>,
  options: DispatcherSuiteOptions<T>,
  rounds: number,
  size: number,
): readonly number[] {
  const { subscribers = 4, terms, event } = options;
  const bench = new DispatcherBench<T>(dispatcher);
  const got = Array.from({ length: subscribers }, () => 0);
  for (let tag = 0; tag < subscribers; tag++) {
    bench.subscribe(tag, { ...terms?.(tag), maxDemand: 2 * size });
    bench.ask(tag, 2 * size);
  }
  for (let round = 0; round < rounds; round++) {
    const events = Array.from({ length: size }, (_, n) => event(round * size + n));
    for (const [tag, { length }] of bench.dispatch(events).handed) {
      got[tag]! += length;
      bench.ask(tag, length);
    }
  }
  return got;
}
