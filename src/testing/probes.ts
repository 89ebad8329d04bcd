import { SluiceError } from "../support/internal.ts";
import { ClosureMessage, State, cellOf, type Cell } from "../process/internal.ts";
import {
  Consumer,
  Producer,
  type ConsumerClass,
  type From,
  type ProducerClass,
  type SubscriptionTerms,
} from "../stage/index.ts";

/** A producer driven by the test. */
export interface ProducerProbe<Out> {
  /** Started by the test, like any stage. */
  readonly stage: ProducerClass<Out>;
  /** Every ask that reached `handleDemand` so far, in order. */
  readonly asks: readonly number[];
  /** Emits events from the stage that runs, as a message to it. @throws SLUICE_NO_PROCESS when none does */
  readonly emit: (events: readonly Out[]) => void;
}

/** A consumer that hands its batches to the test. */
export interface ConsumerProbe<In> {
  /** Started by the test, like any stage. */
  readonly stage: ConsumerClass<In>;
  /** Every batch so far, in order. */
  readonly batches: readonly (readonly In[])[];
  /** Resolves with the next batch not yet taken. */
  readonly next: () => Promise<readonly In[]>;
  /**
   * Asks by hand, on the subscription that was made last; before there is one, the count is kept for it. The first use
   * ends automatic demand: `ask(0)` before the start, and nothing is asked for but by hand.
   */
  readonly ask: (count: number) => void;
}

/** Runs `message` in the mailbox of the process that runs. @throws SLUICE_NO_PROCESS */
function send(cell: Cell | undefined, what: string, message: () => void): void {
  if (cell === undefined || cell.state === State.dead)
    throw new SluiceError("SLUICE_NO_PROCESS", `no stage of this probe runs: no ${what}`, {
      target: "the probe",
    });
  cell.send(new ClosureMessage(message));
}

/**
 * A producer that emits what the test tells it to, and writes down what it is asked for.
 *
 * ```ts
 * import { start } from "sluice";
 * import { probeConsumer, probeProducer, simulate } from "sluice/testing";
 *
 * const source = probeProducer<number>();
 * const seen = probeConsumer<number>();
 * await simulate(async () => {
 *   await using producer = await start(source.stage);
 *   await using _consumer = await start(seen.stage, { subscribeTo: [{ to: producer, maxDemand: 2 }] });
 *   source.emit([1, 2, 3]);
 *   console.info(await seen.next(), source.asks);
 * }, { seeds: [1] });
 * ```
 */
export function probeProducer<Out>(): ProducerProbe<Out> {
  const asks: number[] = [];
  let current: { readonly cell: Cell; readonly emit: (events: readonly Out[]) => void } | undefined;
  class ProbeProducer extends Producer<Out> {
    protected override init(): void {
      current = { cell: cellOf(this), emit: (events) => this.emit(events) };
    }
    protected override handleDemand(demand: number): void {
      asks.push(demand);
    }
  }
  return {
    stage: ProbeProducer,
    asks,
    emit: (events) => send(current?.cell, "emit", () => current?.emit(events)),
  };
}

/** A consumer that writes down what it gets; on request it asks by hand. */
export function probeConsumer<In>(): ConsumerProbe<In> {
  const batches: (readonly In[])[] = [];
  const waiting: ((batch: readonly In[]) => void)[] = [];
  let taken = 0;
  let last: { readonly cell: Cell; readonly from: From & { manual?: boolean } } | undefined;
  let byHand = false;
  let kept = 0;
  class ProbeConsumer extends Consumer<In> {
    protected override handleSubscribe(
      _role: "producer" | "consumer",
      _terms: SubscriptionTerms,
      from: From,
    ): "automatic" | "manual" {
      last = { cell: cellOf(this), from };
      from.ask(kept);
      kept = 0;
      return byHand ? "manual" : "automatic";
    }
    protected override handleEvents(events: readonly In[]): void {
      batches.push(events);
      const resolve = waiting.shift();
      if (resolve === undefined) return;
      taken++;
      resolve(events);
    }
  }
  return {
    stage: ProbeConsumer,
    batches,
    next() {
      const batch = batches[taken];
      if (batch === undefined) return new Promise((resolve) => waiting.push(resolve));
      taken++;
      return Promise.resolve(batch);
    },
    ask(count) {
      byHand = true;
      if (last === undefined) {
        kept += count;
        return;
      }
      const { cell, from } = last;
      send(cell, "ask", () => {
        from.manual = true;
        from.ask(count);
      });
    },
  };
}
