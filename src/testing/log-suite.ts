import { withSystem } from "../process/index.ts";
import type { Log, LogBounds } from "../store/index.ts";
import { logCases } from "./log-cases.ts";
import { logTailCases } from "./log-tail-cases.ts";
import { seededRandom } from "./seeded-random.ts";
import { simulate } from "./simulate.ts";

/** One criterion of a suite, for any test runner. */
export interface SuiteCase {
  /** What holds, in the present tense. */
  readonly name: string;
  /** Resolves when it holds, rejects with what does not. */
  readonly run: () => Promise<void>;
}

/** What {@link logSuite} needs of a store. */
export interface LogSuiteOptions {
  /** Opens an empty log with these bounds, called by each case at least once; disposed at its end where it can be. */
  readonly open: (bounds: LogBounds) => OpenLog | Promise<OpenLog>;
  /**
   * Runs the cases in virtual time, those in which chance plays a part once per seed: for stores that do no I/O. Default:
   * once, in real time.
   */
  readonly seeds?: number;
}

type OpenLog = Log<string> & Partial<AsyncDisposable>;

/** What a case works with. */
export interface LogBench {
  /** An empty log; default bounds 1,000 entries. */
  readonly open: (bounds?: LogBounds) => Promise<Log<string>>;
  /** Disposes the tail at the end of the case. */
  readonly keep: (tail: Disposable) => void;
  /** From 0 to 1. */
  readonly random: () => number;
}

/** A criterion, and what has to hold for it. */
export interface LogCase {
  readonly name: string;
  /** What happens follows from chance. */
  readonly chance?: true;
  readonly body: (bench: LogBench) => Promise<void>;
}

/**
 * The conformance suite of the `Log` contract, as cases for any test runner. It knows the contract only, so that what
 * passes can stand in for every other store.
 *
 * ```ts
 * import { MemoryLog } from "sluice/store";
 * import { logSuite } from "sluice/testing";
 *
 * for (const { name, run } of logSuite({ open: (bounds) => new MemoryLog<string>(bounds) })) {
 *   await run();
 *   console.info(`ok ${name}`);
 * }
 * ```
 */
export function logSuite({ open, seeds }: LogSuiteOptions): readonly SuiteCase[] {
  const bench = async (
    random: () => number,
    body: (bench: LogBench) => Promise<void>,
  ): Promise<void> => {
    const logs: OpenLog[] = [];
    const tails: Disposable[] = [];
    try {
      await body({
        random,
        open: async (bounds = { count: 1_000 }) => {
          const log = await open(bounds);
          logs.push(log);
          return log;
        },
        keep: (tail) => void tails.push(tail),
      });
    } finally {
      for (const tail of tails) tail[Symbol.dispose]();
      for (const log of logs) await log[Symbol.asyncDispose]?.();
    }
  };
  return [...logCases, ...logTailCases].map(({ name, chance, body }) => ({
    name,
    run: async () => {
      if (seeds === undefined) await withSystem(() => bench(seededRandom(1), body));
      else
        await simulate((simulation) => bench(() => simulation.random(), body), {
          seeds: chance === true ? seeds : 1,
        });
    },
  }));
}
