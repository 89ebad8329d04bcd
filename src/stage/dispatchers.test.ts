import { describe, expect, it } from "vitest";
import { dispatcherSuite, type DispatcherSuiteOptions } from "../testing/index.ts";
import { broadcastDispatcher } from "./broadcast-dispatcher.ts";
import { demandDispatcher } from "./demand-dispatcher.ts";
import type { DispatchTerms, SlowSubscriber } from "./dispatch-terms.ts";
import type { Dispatcher, DispatcherContext, Dispatching, Subscriber } from "./dispatcher.ts";
import { fairDispatcher } from "./fair-dispatcher.ts";
import { keyedDispatcher } from "./keyed-dispatcher.ts";
import { partitionDispatcher } from "./partition-dispatcher.ts";

/** A dispatcher as a user would write it: odd numbers to whoever wants odd ones, even ones to the rest. */
class ByParity implements Dispatching<number> {
  readonly #context: DispatcherContext<number>;
  readonly #wanting: readonly [even: Map<Subscriber, number>, odd: Map<Subscriber, number>] = [
    new Map(),
    new Map(),
  ];

  constructor(context: DispatcherContext<number>) {
    this.#context = context;
  }

  get demand(): number {
    return this.#wanting.flatMap((asked) => [...asked.values()]).reduce((sum, n) => sum + n, 0);
  }

  subscribe(subscriber: Subscriber): void {
    const parity = subscriber.terms.dispatch;
    if (parity !== "odd" && parity !== "even") throw new RangeError(`no parity: ${String(parity)}`);
    subscriber.state = this.#wanting[parity === "odd" ? 1 : 0];
    this.#of(subscriber).set(subscriber, 0);
  }

  cancel(subscriber: Subscriber): void {
    this.#of(subscriber).delete(subscriber);
  }

  ask(subscriber: Subscriber, count: number): void {
    const asked = this.#of(subscriber);
    asked.set(subscriber, asked.get(subscriber)! + count);
  }

  dispatch(events: readonly number[]): number {
    for (const [index, event] of events.entries()) {
      const asked = this.#wanting[event % 2]!;
      const [subscriber, demand] = [...asked].find(([, demand]) => demand > 0) ?? [];
      if (subscriber === undefined) return index;
      asked.set(subscriber, demand! - 1);
      this.#context.deliver(subscriber, [event]);
    }
    return events.length;
  }

  #of(subscriber: Subscriber): Map<Subscriber, number> {
    return subscriber.state as Map<Subscriber, number>;
  }
}

const parityDispatcher: Dispatcher<number> = {
  kind: "parity",
  options: ["dispatch"],
  make: (context) => new ByParity(context),
};

/** The same that gathers, or not, and notes how many asks in a row it heard while events waited. */
class Gathering extends ByParity {
  static longest = 0;
  declare readonly gathers?: number;
  #left = false;
  #row = 0;

  override ask(subscriber: Subscriber, count: number): void {
    super.ask(subscriber, count);
    this.#row++;
    if (this.#left) Gathering.longest = Math.max(Gathering.longest, this.#row);
  }

  override dispatch(events: readonly number[]): number {
    const taken = super.dispatch(events);
    this.#left = taken < events.length;
    this.#row = 0;
    return taken;
  }
}

const gathering = (says: { readonly gathers?: number }): Dispatcher<number> => ({
  ...parityDispatcher,
  make: (context) => Object.assign(new Gathering(context), says),
});

const event = (n: number): number => n;
const policies: readonly SlowSubscriber<number>[] = [
  "wait",
  "dropOldest",
  { latest: (n) => n % 5 },
  { latest: () => "all" },
];
const policy = (subscriber: number): DispatchTerms<number> => ({
  slow: policies[subscriber]!,
  maxLag: 3,
});
const own: DispatcherSuiteOptions<number> = {
  dispatcher: () => parityDispatcher,
  event,
  terms: (subscriber) => ({ dispatch: subscriber % 2 === 0 ? "even" : "odd" }),
  refused: { dispatch: "prime" },
};
const suites: Readonly<Record<string, DispatcherSuiteOptions<number>>> = {
  demandDispatcher: { dispatcher: () => demandDispatcher(), event },
  "demandDispatcher that shuffles": {
    dispatcher: () => demandDispatcher({ shuffle: true }),
    event,
  },
  broadcastDispatcher: { dispatcher: broadcastDispatcher, event, toAll: true },
  "broadcastDispatcher with selectors": {
    dispatcher: broadcastDispatcher,
    event,
    toAll: true,
    terms: (subscriber) => ({ selector: (n) => n % (subscriber + 1) === 0 }),
  },
  "broadcastDispatcher with policies": {
    dispatcher: broadcastDispatcher,
    event,
    toAll: true,
    terms: policy,
  },
  partitionDispatcher: {
    dispatcher: () =>
      partitionDispatcher({ partitions: 4, hash: (n: number) => n % 4, maxQueue: 5 }),
    event,
    terms: (partition) => ({ partition }),
    refused: { partition: 4 },
  },
  "partitionDispatcher with names, and events for none": {
    dispatcher: () =>
      partitionDispatcher({
        partitions: ["a", "b", "c", "d"],
        hash: (n: number) => ["a", "b", "c", "d", undefined][n % 5],
        maxQueue: 0,
      }),
    event,
    wanted: (n) => n % 5 !== 4,
    terms: (subscriber) => ({ partition: "abcd"[subscriber]! }),
    refused: { partition: "a" },
  },
  keyedDispatcher: {
    dispatcher: () => keyedDispatcher({ key: (n: number) => n % 7, maxQueue: 5 }),
    event,
    orderBy: (n) => n % 7,
    serialBy: (n) => n % 7,
  },
  fairDispatcher: { dispatcher: fairDispatcher, event, weights: [1, 1, 1, 1] },
  "fairDispatcher with weights": {
    dispatcher: fairDispatcher,
    event,
    terms: (subscriber) => ({ weight: [1, 2, 0.5, 4][subscriber]! }),
    weights: [1, 2, 0.5, 4],
  },
  "a dispatcher of one's own": own,
  "one that gathers": { ...own, dispatcher: () => gathering({ gathers: 30 }) },
};

describe.each(Object.entries(suites))("%s", (_name, options) => {
  it.each(dispatcherSuite(options))("$name", async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});

describe("the suite", () => {
  it("lets asks come in a row while events wait to a dispatcher that gathers, and to no other", async () => {
    for (const says of [{}, { gathers: 30 }]) {
      Gathering.longest = 0;
      const cases = dispatcherSuite({ ...own, dispatcher: () => gathering(says), seeds: 5 });
      for (const { run } of cases) await run();
      expect(Gathering.longest > 1).toBe("gathers" in says);
    }
  });
});
