import { ClosureMessage, isThenable, type Cell, type Figures } from "../process/internal.ts";
import { SluiceError, type ExitReason } from "../support/internal.ts";
import { demanded, log } from "../telemetry/internal.ts";
import { eventsOf, invalidEvents } from "./accepting.ts";
import { EmittingEngine } from "./emitting-engine.ts";
import { Fetch } from "./fetch.ts";
import { Outlet, type OutletOptions } from "./outlet.ts";
import type { StageCallbacks } from "./stage-callbacks.ts";

const defaultBufferSize = 10_000;

/** The engine of a producer: demand that its buffer cannot serve goes to `handleDemand`; one fetch is open at most. */
export class ProducerEngine extends EmittingEngine {
  readonly role = "producer";
  fetch: Fetch | undefined = undefined;
  /** No further demand is handed on: the stage drains or stops. */
  closed = false;

  /** @throws SLUICE_INVALID_OPTION */
  constructor(cell: Cell, stage: StageCallbacks, options: OutletOptions) {
    super(cell, stage, new Outlet(cell, options, defaultBufferSize));
  }

  protected override demanded(missing: number): void {
    const { outlet, cell, stage } = this;
    if (this.closed || stage.handleDemand === undefined) return;
    if (this.fetch !== undefined) {
      // Counted when the fetch has settled, together with what is asked for until then.
      outlet.requested -= missing;
      return;
    }
    if (demanded.active) demanded.emit({ stage: cell.pid, count: missing });
    const fetch = new Fetch(missing);
    const result = stage.handleDemand(missing, fetch);
    if (result === undefined) return;
    if (Array.isArray(result)) outlet.emit(result, cell.system.queue.lastLookMs);
    else if (isThenable(result)) this.open(fetch, result);
    else throw invalidEvents(cell, "handleDemand", result);
  }

  open(fetch: Fetch, result: PromiseLike<unknown>): void {
    this.fetch = fetch;
    fetch.result = result;
    const settled = (run: () => void): void => this.cell.send(new ClosureMessage(run));
    result.then(
      (events) => settled(() => this.fetched(fetch, events)),
      (error: unknown) => settled(() => this.failed(fetch, error)),
    );
  }

  fetched(fetch: Fetch, result: unknown): void {
    const { outlet, cell } = this;
    const events = result === undefined ? [] : eventsOf(cell, "handleDemand", result);
    outlet.emit(events, outlet.nowMs);
    if (fetch.over !== undefined) this.forgive(fetch.demand - events.length);
    this.settled();
  }

  failed(fetch: Fetch, error: unknown): void {
    if (fetch.over === undefined) throw error;
    if (error !== fetch.over && !(error instanceof Error && error.name === "AbortError"))
      log("warning", `a fetch that ${this.cell.pid} gave up has failed`, error);
    this.forgive(fetch.demand);
    this.settled();
  }

  settled(): void {
    this.fetch = undefined;
    this.serve();
  }

  /** What a fetch that was given up did not bring is not owed any more: the next ask asks for it anew. */
  forgive(count: number): void {
    const { outlet } = this;
    outlet.requested = Math.max(outlet.requested - Math.max(count, 0), 0);
  }

  /** For a source that reads as long as somebody asks: what consumers that have gone asked for is not owed. */
  forget(): void {
    const { outlet } = this;
    outlet.requested = Math.min(outlet.requested, outlet.dispatcher.demand);
  }

  giveUp(why: string, reason: ExitReason): void {
    this.fetch?.abort(new SluiceError("SLUICE_EXITED", `${this.cell.pid} ${why}`, { reason }));
  }

  protected override abandoned(): void {
    this.giveUp("has no consumer any more", "normal");
    super.abandoned();
  }

  stopping(reason: ExitReason): void {
    this.closed = true;
    this.giveUp("stops", reason);
  }

  async drain(): Promise<void> {
    this.closed = true;
    this.giveUp("drains", "shutdown");
    const result = this.fetch?.result;
    if (result !== undefined) {
      const settled = (): Promise<void> =>
        new Promise((resolve) => this.cell.send(new ClosureMessage(resolve)));
      // What it brought is a message before this one.
      await result.then(settled, settled);
    }
    await this.taken();
  }

  inspect(): { readonly figures: Figures; readonly upstream: readonly never[] } {
    const { outlet } = this;
    return {
      figures: {
        asked: outlet.dispatcher.demand,
        buffered: outlet.buffer.size,
        offers: outlet.offers.length,
        done: outlet.delivered,
        dropped: outlet.dropped,
      },
      upstream: [],
    };
  }
}
