import { deepEqual, equal, ok, throws } from "node:assert/strict";
import type { DispatchTerms, Dispatcher } from "../stage/index.ts";
import { DispatcherBench } from "./dispatcher-bench.ts";
import { DispatcherRun, shares, type Rule } from "./dispatcher-run.ts";
import type { SuiteCase } from "./log-suite.ts";

/** What {@link dispatcherSuite} needs to know of a dispatcher. */
export interface DispatcherSuiteOptions<T> {
  /** Makes the choice that is tested; called for each case and each run. */
  readonly dispatcher: () => Dispatcher<T>;
  /** The n-th event; each is another one. */
  readonly event: (n: number) => T;
  /** What the n-th of the subscriptions says; default nothing. */
  readonly terms?: (subscriber: number) => DispatchTerms<T>;
  /** How many subscriptions there are at most, numbered from 0; default 4. */
  readonly subscribers?: number;
  /** It delivers an event to all subscribers, not to one; default false. */
  readonly toAll?: boolean;
  /** False for an event that nobody is meant to get; default all are. */
  readonly wanted?: (event: T) => boolean;
  /** Events with the same result come to a subscriber in order; default all. */
  readonly orderBy?: (event: T) => unknown;
  /** Events with the same result are never with two consumers at once; default no such promise. */
  readonly serialBy?: (event: T) => unknown;
  /** What a subscription must not say: it is refused. */
  readonly refused?: DispatchTerms<T>;
  /** The shares of subscribers that always want more, as weights; default no promise. */
  readonly weights?: readonly number[];
  /** Random lives per case; default 50. */
  readonly seeds?: number;
}

const steps = 200;

const rules: Readonly<Record<Rule, string>> = {
  asked: "R1: never delivers more to a subscriber than it has asked for, nor to one that has gone",
  taken: "takes all it can at once: what it leaves, it leaves again until something changes",
  demand: "wants what its subscribers have asked for and no more, and nothing when all have gone",
  conservation: "R12: what it has taken is delivered, kept or dropped and counted, each once",
  order: "R13: events come to a subscriber in the order in which they were dispatched",
  serial: "events of one key are never with two consumers at once, however these come and go",
  progress: "R14: while all consumers go on, nothing is stuck",
  afterQueued: "`afterQueued` runs when what was queued then has gone, and not before",
};

/**
 * The conformance suite of the `Dispatcher` contract, as cases for any test runner: random lives with consumers that
 * subscribe, ask, handle in order, cancel and die, each rule looked at after every step. A failure names its seed.
 *
 * ```ts
 * import { partitionDispatcher } from "sluice";
 * import { dispatcherSuite } from "sluice/testing";
 *
 * const cases = dispatcherSuite({
 *   dispatcher: () => partitionDispatcher({ partitions: 4, hash: (n: number) => n % 4 }),
 *   event: (n) => n,
 *   terms: (subscriber) => ({ partition: subscriber }),
 *   refused: { partition: 4 },
 * });
 * for (const { name, run } of cases) {
 *   await run();
 *   console.info(`ok ${name}`);
 * }
 * ```
 */
export function dispatcherSuite<T>(options: DispatcherSuiteOptions<T>): readonly SuiteCase[] {
  const { dispatcher, seeds = 50, serialBy, refused, weights } = options;
  const keeps = (rule: Rule) => (): void => {
    for (let seed = 1; seed <= seeds; seed++) {
      const broken = new DispatcherRun(seed, options).run(steps).violations.get(rule);
      ok(broken === undefined, `seed ${seed}: ${broken}`);
    }
  };
  const looked = (Object.keys(rules) as Rule[]).filter(
    (rule) => rule !== "serial" || serialBy !== undefined,
  );
  const cases: (readonly [name: string, run: () => void])[] = [
    ["a choice serves many stages: what it makes has nothing in common", () => apart(options)],
    ...looked.map((rule) => [rules[rule], keeps(rule)] as const),
  ];
  if (refused !== undefined)
    cases.push([
      "refuses one subscription by throwing, and goes on as before",
      () => refuses(options),
    ]);
  if (weights !== undefined)
    cases.push([
      "R15: who always waits gets a share by its weight",
      () => fair(dispatcher(), options),
    ]);
  return cases.map(([name, run]) => ({ name, run: async () => run() }));
}

function apart<T>({ dispatcher, terms }: DispatcherSuiteOptions<T>): void {
  const choice = dispatcher();
  const [one, other] = [new DispatcherBench(choice), new DispatcherBench(choice)];
  one.subscribe(1, terms?.(0));
  one.ask(1, 5);
  equal(other.demand, 0);
  other.subscribe(1, terms?.(0));
  other.ask(1, 2);
  other.unsubscribe(1);
  equal(other.demand, 0);
}

function refuses<T>({ dispatcher, terms, refused }: DispatcherSuiteOptions<T>): void {
  const bench = new DispatcherBench(dispatcher());
  bench.subscribe(1, terms?.(0));
  bench.ask(1, 3);
  const before = bench.demand;
  throws(() => bench.subscribe(2, refused));
  throws(() => bench.subscribe(3, refused), "a third time, too");
  deepEqual([bench.demand, bench.handed()], [before, []]);
}

function fair<T>(dispatcher: Dispatcher<T>, options: DispatcherSuiteOptions<T>): void {
  const { weights = [] } = options;
  const sum = weights.reduce((all, weight) => all + weight, 0);
  for (const size of [1, 7, 100]) {
    const rounds = Math.ceil(3_000 / size);
    const got = shares(dispatcher, { ...options, subscribers: weights.length }, rounds, size);
    for (const [index, weight] of weights.entries()) {
      const due = (rounds * size * weight) / sum;
      const off = Math.abs(got[index]! - due);
      const turn = 1 + Math.max(size, sum / Math.min(...weights));
      ok(off <= turn, `in batches of ${size}, subscriber ${index} got ${got[index]} of ${due}`);
    }
  }
}
