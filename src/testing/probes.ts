import { SluiceError } from "../support/internal.ts";
import { closureMessage, State, cellOf, type Cell } from "../process/internal.ts";
import type { ExitReason } from "../support/index.ts";
import {
  Consumer,
  Producer,
  type CancelCause,
  type ConsumerClass,
  type From,
  type ProducerClass,
  type SubscriptionTerms,
} from "../stage/index.ts";
import { Arrivals, type Within } from "./expected.ts";

/** A producer driven by the test. */
export interface ProducerProbe<Out> {
  /** Started by the test, like any stage. */
  readonly stage: ProducerClass<Out>;
  /** Every ask that reached `handleDemand` so far, in order. */
  readonly asks: readonly number[];
  /** Emits events from the stage that runs, as a message to it. @throws SLUICE_NO_PROCESS when none does */
  readonly emit: (events: readonly Out[]) => void;
  /**
   * The next ask that was not expected yet is for so many events; with no count, whatever it is for. Resolves with it.
   * @throws SLUICE_UNEXPECTED as a rejection: another one, or none in time
   */
  readonly expectDemand: (count?: number, options?: Within) => Promise<number>;
  /** No ask comes. @throws SLUICE_UNEXPECTED as a rejection */
  readonly expectNoDemand: (options?: Within) => Promise<void>;
  /** Ends the stage when all that was emitted is taken; default `"normal"`. @throws SLUICE_NO_PROCESS */
  readonly end: (reason?: ExitReason) => void;
  /** Crashes the stage with this error. @throws SLUICE_NO_PROCESS */
  readonly fail: (error: unknown) => void;
}

/** A consumer that hands its batches to the test. */
export interface ConsumerProbe<In> {
  /** Started by the test, like any stage. */
  readonly stage: ConsumerClass<In>;
  /** Every batch so far, in order. */
  readonly batches: readonly (readonly In[])[];
  /** Resolves with the next batch that `next` has not given out; `expectNext` has a count of its own. */
  readonly next: () => Promise<readonly In[]>;
  /**
   * Asks by hand, on the subscription that was made last; before there is one, the count is kept for it. The first use
   * ends automatic demand: `request(0)` before the start, and nothing is asked for but by hand.
   */
  readonly request: (count: number) => void;
  /** The same as `request`. */
  readonly ask: (count: number) => void;
  /**
   * The next events, whatever their batches, are these, in this order; what comes later is left for the next look.
   * @throws SLUICE_UNEXPECTED as a rejection: another one, or one not in time
   */
  readonly expectNext: (...events: readonly In[]) => Promise<void>;
  /** No event comes. @throws SLUICE_UNEXPECTED as a rejection */
  readonly expectNoMore: (options?: Within) => Promise<void>;
  /**
   * A subscription ends, for this reason if one is given. Resolves with the reason.
   * @throws SLUICE_UNEXPECTED as a rejection
   */
  readonly expectEnd: (reason?: ExitReason, options?: Within) => Promise<ExitReason>;
}

/** Runs `message` in the mailbox of the process that runs. @throws SLUICE_NO_PROCESS */
function send(cell: Cell | undefined, what: string, message: () => void): void {
  if (cell === undefined || cell.state === State.dead)
    throw new SluiceError("SLUICE_NO_PROCESS", `no stage of this probe runs: no ${what}`, {
      target: "the probe",
    });
  cell.send(closureMessage(message));
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
  const arrivals = new Arrivals<number>("producer probe", "demand");
  let current: { readonly cell: Cell; readonly emit: (events: readonly Out[]) => void } | undefined;
  class ProbeProducer extends Producer<Out> {
    protected override init(): void {
      current = { cell: cellOf(this), emit: (events) => this.emit(events) };
    }
    protected override handleDemand(demand: number): void {
      asks.push(demand);
      arrivals.push(demand);
    }
  }
  return {
    stage: ProbeProducer,
    asks,
    emit: (events) => send(current?.cell, "emit", () => current?.emit(events)),
    async expectDemand(count, { withinMs } = {}) {
      if (count === undefined) return arrivals.take("demand", withinMs);
      await arrivals.expect(count, withinMs);
      return count;
    },
    expectNoDemand: ({ withinMs } = {}) => arrivals.expectNone(withinMs),
    end: (reason = "normal") =>
      send(current?.cell, "end", () =>
        current?.cell.engine?.afterBuffered?.(() => current?.cell.stop(reason)),
      ),
    fail: (error) =>
      send(current?.cell, "fail", () => {
        throw error;
      }),
  };
}

/** A consumer that writes down what it gets; on request it asks by hand. */
export function probeConsumer<In>(): ConsumerProbe<In> {
  const batches: (readonly In[])[] = [];
  const events = new Arrivals<In>("consumer probe", "event");
  const ends = new Arrivals<ExitReason>("consumer probe", "end");
  const untaken = new Arrivals<readonly In[]>("consumer probe", "batch");
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
    protected override handleEvents(batch: readonly In[]): void {
      batches.push(batch);
      untaken.push(batch);
      for (const event of batch) events.push(event);
    }
    protected override handleCancel({ reason }: CancelCause): void {
      ends.push(reason);
    }
  }
  const request = (count: number): void => {
    byHand = true;
    if (last === undefined) {
      kept += count;
      return;
    }
    const { cell, from } = last;
    send(cell, "request", () => {
      from.manual = true;
      from.ask(count);
    });
  };
  return {
    stage: ProbeConsumer,
    batches,
    next: () => untaken.next(),
    request,
    ask: request,
    async expectNext(...expected) {
      for (const event of expected) await events.expect(event);
    },
    expectNoMore: ({ withinMs } = {}) => events.expectNone(withinMs),
    async expectEnd(reason, { withinMs } = {}) {
      if (reason === undefined) return ends.take("an end", withinMs);
      await ends.expect(reason, withinMs);
      return reason;
    },
  };
}
