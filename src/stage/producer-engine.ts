import type { Context } from "../process/index.ts";
import {
  ClosureMessage,
  isThenable,
  type Cell,
  type Engine,
  type Figures,
} from "../process/internal.ts";
import { SluiceError, type ExitReason } from "../support/internal.ts";
import { demanded } from "../telemetry/internal.ts";
import { EmittingEngine } from "./emitting-engine.ts";
import { Outlet, type OutletOptions } from "./outlet.ts";
import type { StageCallbacks } from "./stage-callbacks.ts";

const defaultBufferSize = 10_000;

/** An open promise of `handleDemand`, with a signal of its own. */
class Fetch implements Context {
  readonly demand: number;
  controller: AbortController | undefined = undefined;
  over: unknown = undefined;

  constructor(demand: number) {
    this.demand = demand;
  }

  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.over !== undefined) this.controller.abort(this.over);
    }
    return this.controller.signal;
  }

  abort(reason: unknown): void {
    this.over = reason;
    this.controller?.abort(reason);
  }
}

/** The engine of a producer: demand that its buffer cannot serve goes to `handleDemand`; one fetch is open at most. */
export class ProducerEngine extends EmittingEngine implements Engine {
  readonly role = "producer";
  fetch: Fetch | undefined = undefined;
  /** Demand that came while a fetch was open. */
  owed = 0;
  closed = false;

  /** @throws SLUICE_INVALID_OPTION */
  constructor(cell: Cell, stage: StageCallbacks, options: OutletOptions) {
    super(cell, stage, new Outlet(cell, options, defaultBufferSize));
  }

  protected override demanded(missing: number): void {
    if (this.closed || this.stage.handleDemand === undefined) return;
    if (this.fetch !== undefined) {
      this.owed += missing;
      return;
    }
    if (demanded.active) demanded.emit({ stage: this.cell.pid, count: missing });
    const fetch = new Fetch(missing);
    const result = this.stage.handleDemand(missing, fetch);
    if (isThenable(result)) this.open(fetch, result);
    else if (result !== undefined)
      this.outlet.emit(result as readonly unknown[], this.outlet.nowMs);
  }

  open(fetch: Fetch, result: PromiseLike<unknown>): void {
    this.fetch = fetch;
    const { cell } = this;
    const settled = (run: () => unknown): void =>
      cell.send(
        new ClosureMessage(() => {
          if (this.fetch === fetch) this.fetch = undefined;
          return run();
        }),
      );
    result.then(
      (events) => settled(() => this.fetched(events)),
      (error: unknown) => settled(() => this.failed(fetch, error)),
    );
  }

  fetched(events: unknown): void {
    if (events !== undefined) this.outlet.emit(events as readonly unknown[], this.outlet.nowMs);
    this.goOn();
  }

  failed(fetch: Fetch, error: unknown): void {
    if (fetch.over === undefined) throw error;
    // Given up because nobody wanted it: what it was opened for is wanted again by the next ask.
    this.outlet.requested = Math.max(this.outlet.requested - fetch.demand, 0);
    this.goOn();
  }

  goOn(): void {
    const { owed } = this;
    this.owed = 0;
    if (owed > 0 && this.outlet.consumptions.size > 0) this.demanded(owed);
    else this.outlet.requested = Math.max(this.outlet.requested - owed, 0);
    this.serve();
  }

  protected override lost(): void {
    if (this.outlet.consumptions.size === 0)
      this.fetch?.abort(
        new SluiceError("SLUICE_EXITED", `nobody wants the events of ${this.cell.pid} any more`, {
          reason: "normal",
        }),
      );
  }

  stopping(reason: ExitReason): void {
    this.closed = true;
    this.fetch?.abort(new SluiceError("SLUICE_EXITED", `${this.cell.pid} stops`, { reason }));
  }

  drain(): PromiseLike<void> | undefined {
    this.closed = true;
    this.fetch?.abort(
      new SluiceError("SLUICE_EXITED", `${this.cell.pid} drains`, { reason: "normal" }),
    );
    return this.whenEmpty();
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
