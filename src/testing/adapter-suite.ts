import { withSystem } from "../process/index.ts";
import type { Adapter } from "../pubsub/index.ts";
import { AdapterBench } from "./adapter-bench.ts";
import { connectionCases } from "./connection-cases.ts";
import type { SuiteCase } from "./log-suite.ts";
import { pubsubCases } from "./pubsub-cases.ts";
import { pubsubOutageCases } from "./pubsub-outage-cases.ts";
import { simulate } from "./simulate.ts";

/** A broker, as far as the suite needs one. */
export interface AdapterUnderTest extends Partial<AsyncDisposable> {
  /** An adapter for one more node. The nodes of one case hear each other, and nobody else. */
  adapter(): Adapter;
  /** Kills the broker, and starts it again; without them the cases about outages are left out. */
  readonly outage?: {
    readonly stop: () => Promise<void>;
    readonly start: () => Promise<void>;
  };
}

/** What {@link adapterSuite} needs of a broker. */
export interface AdapterSuiteOptions {
  /** Called by each case once; disposed at its end where it can be. */
  readonly open: () => AdapterUnderTest | Promise<AdapterUnderTest>;
  /** Can `open` give an `outage`? Default true. */
  readonly outages?: boolean;
  /** Runs each case in virtual time, once per seed: for brokers that do no I/O. Default: once, in real time. */
  readonly seeds?: number;
}

/** A criterion, and what has to hold for it. */
export interface AdapterCase {
  readonly name: string;
  readonly body: (bench: AdapterBench) => Promise<void>;
}

/**
 * The conformance suite of the `Adapter` contract, as cases for any test runner: first of connections by themselves, then
 * of what `pubsub` makes of them. It knows the contract only, so that what passes can stand in for every other adapter.
 *
 * ```ts no-run
 * import { adapterSuite, memoryHub } from "sluice/testing";
 *
 * const open = () => {
 *   const hub = memoryHub();
 *   return {
 *     adapter: () => hub.adapter,
 *     outage: { stop: async () => hub.stop(), start: async () => hub.start() },
 *   };
 * };
 * for (const { name, run } of adapterSuite({ open })) {
 *   await run();
 *   console.info(`ok ${name}`);
 * }
 * ```
 */
export function adapterSuite({
  open,
  outages = true,
  seeds,
}: AdapterSuiteOptions): readonly SuiteCase[] {
  const once = async ({ body }: AdapterCase): Promise<void> => {
    const broker = await open();
    const bench = new AdapterBench(broker);
    try {
      await body(bench);
    } finally {
      await bench.end();
      await broker[Symbol.asyncDispose]?.();
    }
  };
  const cases = [...connectionCases, ...pubsubCases, ...(outages ? pubsubOutageCases : [])];
  return cases.map((one) => ({
    name: one.name,
    run: async () => {
      if (seeds === undefined) await withSystem(() => once(one));
      else await simulate(() => once(one), { seeds });
    },
  }));
}
