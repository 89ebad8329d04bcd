import { describe, expect, it } from "vitest";
import { figures } from "../../test/stage/inbox.ts";
import { byHand, range } from "../../test/stage/probing.ts";
import { start, type Ref } from "../process/index.ts";
import { simulate, type ConsumerProbe } from "../testing/index.ts";
import { demandDispatcher } from "./demand-dispatcher.ts";
import { setDemandMode } from "./demand-mode.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { partitionDispatcher } from "./partition-dispatcher.ts";
import { Producer } from "./producer.ts";
import type { From, SubscriptionTerms } from "./subscription.ts";

/** Writes down what it is asked for and what comes in between, and gives what is asked for, or nothing. */
class Numbers extends Producer<number> {
  readonly #log: unknown[];
  readonly #gives: boolean;
  readonly #consumers: From[];
  #next = 0;

  constructor(log: unknown[], consumers: From[], gives: boolean) {
    super();
    this.#consumers = consumers;
    this.#log = log;
    this.#gives = gives;
  }
  /** The mailbox waits. */
  async wait(until: Promise<void>): Promise<void> {
    await until;
  }
  /** Something of the test, as a message. */
  act(work: () => void): void {
    work();
  }
  protected override handleSubscribe(_role: string, _terms: SubscriptionTerms, from: From): void {
    this.#consumers.push(from);
  }
  protected override handleCancel(): void {
    this.#log.push("cancel");
  }
  protected override handleDemand(demand: number): number[] | undefined {
    this.#log.push(demand);
    return this.#gives ? range(demand, (this.#next += demand) - demand) : undefined;
  }
}

interface Scene {
  readonly numbers: Ref<Numbers>;
  readonly log: unknown[];
  /** What the producer knows of its consumers. */
  readonly froms: readonly From[];
  readonly probes: readonly ConsumerProbe<number>[];
  /** What each has got, in order. */
  readonly got: () => number[][];
  readonly quiet: () => Promise<void>;
  /** Each step reaches the producer after the one before, and all of them while its mailbox waits. */
  readonly inLine: (...steps: readonly (() => unknown)[]) => Promise<void>;
  /** Ends the consumer of that place. */
  readonly stop: (place: number) => Promise<void>;
}

interface Setting {
  readonly dispatcher?: Dispatcher<number>;
  /** Whether the producer gives what it is asked for; default not. */
  readonly gives?: boolean;
}

const four = partitionDispatcher({ partitions: 4, hash: (n: number) => n % 4 });

/** Four consumers that ask by hand, in many orders of everything. */
async function play(run: (scene: Scene) => Promise<void>, setting: Setting = {}): Promise<void> {
  const { dispatcher = four, gives = false } = setting;
  const report = await simulate(
    async ({ quiet }) => {
      const log: unknown[] = [];
      const froms: From[] = [];
      await using numbers = await start(Numbers, { args: [log, froms, gives], dispatcher });
      const probes = range(4).map(() => byHand<number>());
      await using stack = new AsyncDisposableStack();
      const stops: (() => Promise<void>)[] = [];
      for (const [place, { stage }] of probes.entries()) {
        const terms = dispatcher.options?.includes("partition") ? { partition: place } : {};
        const subscribeTo = [{ to: numbers, cancel: "temporary", ...terms } as const];
        const consumer = stack.use(await start(stage, { subscribeTo }));
        stops.push(() => consumer.stop("shutdown"));
        await quiet();
      }
      await run({
        numbers,
        log,
        froms,
        probes,
        quiet,
        got: () => probes.map(({ batches }) => batches.flat()),
        inLine: async (...steps) => {
          const end = Promise.withResolvers<void>();
          numbers.cast.wait(end.promise);
          await quiet();
          for (const step of steps) {
            step();
            await quiet();
          }
          end.resolve();
          await quiet();
        },
        stop: (place) => stops[place]!(),
      });
    },
    { seeds: 10 },
  );
  expect(report.seeds).toBe(10);
}

describe("asks that wait in a row, with a dispatcher that gathers", () => {
  it("are one demand; each consumer gets of it what is for it, in order, and no more than it asked for", () =>
    play(
      async ({ inLine, log, probes, got }) => {
        await inLine(...probes.map((probe) => () => probe.ask(5)));
        expect(log).toEqual([20]);
        expect(got()).toEqual(range(4).map((place) => range(5).map((n) => 4 * n + place)));
        await inLine(
          () => probes[0]!.ask(2),
          () => probes[0]!.ask(2),
          () => probes[1]!.ask(4),
        );
        expect(log).toEqual([20, 8]);
        expect(got().map(({ length }) => length)).toEqual([7, 7, 5, 5]);
      },
      { gives: true },
    ));

  it("are none that do not wait: a lone one is heard at once", () =>
    play(async ({ log, probes, quiet }) => {
      for (const probe of probes) {
        probe.ask(3);
        await quiet();
      }
      expect(log).toEqual([3, 3, 3, 3]);
    }));

  it("are none that something stands between: a message", () =>
    play(async ({ inLine, log, probes: [one, two, three], numbers }) => {
      await inLine(
        () => one!.ask(4),
        () => numbers.cast.act(() => log.push("note")),
        () => two!.ask(2),
        () => three!.ask(1),
      );
      expect(log).toEqual([4, "note", 3]);
    }));

  it("… what the stage sends to itself", () =>
    play(async ({ inLine, log, probes: [one, two, three], froms }) => {
      await inLine(
        () => one!.ask(4),
        () => froms[3]!.cancel(),
        () => two!.ask(2),
        () => three!.ask(1),
      );
      expect(log).toEqual([4, "cancel", 3]);
    }));

  it("… a cancel, of which the asks before it know nothing, and those after it do", () =>
    play(async ({ inLine, log, probes: [one, two, three], stop }) => {
      await inLine(
        () => one!.ask(4),
        () => two!.ask(3),
        () => stop(1),
        () => three!.ask(5),
      );
      // Of the five, three are on their way already, for the one that has gone.
      expect(log).toEqual([7, "cancel", 2]);
    }));

  it("… a change of the demand mode: what comes after it is held, ask by ask", () =>
    play(async ({ inLine, log, probes: [one, two, three], numbers, quiet }) => {
      await inLine(
        () => one!.ask(4),
        () => numbers.cast.act(() => setDemandMode(numbers, "accumulate")),
        () => two!.ask(2),
        () => three!.ask(1),
      );
      expect(log).toEqual([4]);
      expect(figures(numbers)).toMatchObject({ heldAsks: 2 });
      setDemandMode(numbers, "forward");
      await quiet();
      expect(log).toEqual([4, 2, 1]);
    }));

  it("are heard although the last of them is of a subscription that has ended", () =>
    play(async ({ inLine, log, probes: [one, two], froms }) => {
      await inLine(
        () => froms[0]!.cancel(),
        () => two!.ask(3),
        () => one!.ask(4),
      );
      expect(log).toEqual(["cancel", 3]);
    }));

  it("are held one by one from when the demand mode says so, which acts at once", () =>
    play(async ({ inLine, log, probes: [one, two, three], numbers, quiet }) => {
      await inLine(
        () => one!.ask(4),
        () => two!.ask(2),
        () => setDemandMode(numbers, "accumulate"),
        () => three!.ask(1),
      );
      expect(log).toEqual([]);
      expect(figures(numbers)).toMatchObject({ heldAsks: 3 });
      setDemandMode(numbers, "forward");
      await quiet();
      expect(log).toEqual([4, 2, 1]);
    }));

  it("are gathered until 4,000 events are wanted, then answered before the next is heard", () =>
    play(
      async ({ inLine, log, probes: [one, two, three, four] }) => {
        await inLine(
          () => one!.ask(3_000),
          () => two!.ask(1_000),
          () => three!.ask(5),
          () => four!.ask(5),
        );
        expect(log).toEqual([4_000, 10]);
      },
      {
        gives: true,
        dispatcher: partitionDispatcher({
          partitions: 4,
          hash: (n: number) => (n < 3_000 ? 0 : n < 4_000 ? 1 : n < 4_005 ? 2 : 3),
        }),
      },
    ));

  it("are answered one by one while so many are wanted that did not come", () =>
    play(async ({ inLine, log, probes: [one, two, three] }) => {
      await inLine(
        () => one!.ask(4_000),
        () => two!.ask(2),
        () => three!.ask(1),
      );
      expect(log).toEqual([4_000, 2, 1]);
    }));

  it("are gathered for one of one's own as far as it says", () => {
    const choice: Dispatcher<number> = demandDispatcher();
    const own: Dispatcher<number> = {
      ...choice,
      kind: "own",
      make(context) {
        const made = choice.make(context);
        return {
          get demand() {
            return made.demand;
          },
          subscribe: (subscriber) => made.subscribe(subscriber),
          cancel: (subscriber) => made.cancel(subscriber),
          ask: (subscriber, count) => made.ask(subscriber, count),
          dispatch: (events, enteredMs) => made.dispatch(events, enteredMs),
          gathers: 7,
        };
      },
    };
    return play(
      async ({ inLine, log, probes }) => {
        await inLine(...probes.map((probe) => () => probe.ask(4)));
        expect(log).toEqual([8, 8]);
      },
      { dispatcher: own, gives: true },
    );
  });
});

describe("asks that wait in a row, with a dispatcher that does not gather", () => {
  it("are handled one by one, and never summed", () =>
    play(
      async ({ inLine, log, probes }) => {
        await inLine(...probes.map((probe) => () => probe.ask(4)));
        expect(log).toEqual([4, 4, 4, 4]);
      },
      { dispatcher: demandDispatcher(), gives: true },
    ));
});
