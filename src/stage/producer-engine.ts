import { closureMessage, isThenable, type Cell, type Figures } from "../process/internal.ts";
import { SluiceError, invalidOption, type ExitReason } from "../support/internal.ts";
import { demanded, log } from "../telemetry/internal.ts";
import { eventsOf, invalidEvents } from "./accepting.ts";
import type { DemandMode } from "./demand-mode.ts";
import { EmittingEngine } from "./emitting-engine.ts";
import { Fetch } from "./fetch.ts";
import { HeldDemand } from "./held-demand.ts";
import { Outlet } from "./outlet.ts";
import type { OutletOptions } from "./outlet-options.ts";
import type { StageCallbacks } from "./stage-callbacks.ts";

const defaultBufferSize = 10_000;

interface ProducerEngineOptions extends OutletOptions {
  readonly demand?: DemandMode;
}

/** @throws SLUICE_INVALID_OPTION */
export function checkMode(option: string, mode: DemandMode): void {
  if (mode !== "forward" && mode !== "accumulate")
    throw invalidOption(option, mode, '"forward" or "accumulate"');
}

/** The engine of a producer: demand that its buffer cannot serve goes to `handleDemand`; one fetch is open at most. */
export class ProducerEngine extends EmittingEngine {
  readonly role = "producer";
  fetch: Fetch | undefined = undefined;
  /** Made once: it is told with each demand. */
  #pid: string | undefined = undefined;
  /** No further demand is handed on: the stage drains or stops. */
  closed = false;
  /** What it was told last. */
  mode: DemandMode = "forward";

  /** @throws SLUICE_INVALID_OPTION */
  constructor(cell: Cell, stage: StageCallbacks, options: ProducerEngineOptions) {
    super(cell, stage, new Outlet(cell, options, defaultBufferSize));
    const { demand = "forward" } = options;
    checkMode("demand", demand);
    this.setMode(demand);
  }

  override goOn(): void {
    if (this.outlet.held !== undefined && this.mode === "forward") this.release();
    else this.serve();
  }

  /** To hold acts at once; what was held goes out in a message of its own. */
  setMode(mode: DemandMode): void {
    this.mode = mode;
    const { outlet, cell } = this;
    if (mode === "accumulate") outlet.held ??= new HeldDemand();
    else if (outlet.held !== undefined)
      cell.send(closureMessage(() => (this.mode === "forward" ? this.release() : undefined)));
  }

  /** Hands out what was held: the events, batch by batch; then what is still missing is demanded, ask by ask. */
  release(): void {
    const { outlet, cell } = this;
    const { held } = outlet;
    if (held === undefined) return;
    outlet.handOut(true);
    // It goes on behind what is to run before the next event.
    if (outlet.reached > 0) return;
    outlet.held = undefined;
    for (const count of held.counts) {
      const missing = outlet.request(count);
      if (missing > 0) this.demanded(missing);
      // What is left of the demand is served below, or held again.
      if (cell.closed || outlet.held !== undefined) break;
    }
    if (!cell.closed) this.serve();
  }

  protected override demanded(missing: number): void {
    const { outlet, cell, stage } = this;
    if (this.closed || stage.handleDemand === undefined) return;
    if (this.fetch !== undefined) {
      // Counted when the fetch has settled, together with what is asked for until then.
      outlet.requested -= missing;
      return;
    }
    if (demanded.active) demanded.emit({ stage: (this.#pid ??= cell.pid), count: missing });
    const fetch = new Fetch(missing);
    const result = stage.handleDemand(missing, fetch);
    if (result === undefined) return;
    if (Array.isArray(result)) outlet.emit(result, cell.system.queue.lastLookMs);
    else if (isThenable(result)) this.open(fetch, result);
    else throw invalidEvents(cell, "handleDemand", result);
  }

  override unserved(): void {
    // When the fetch has settled, all that is missing then is asked for.
    if (this.fetch === undefined && !this.closed) super.unserved();
  }

  open(fetch: Fetch, result: PromiseLike<unknown>): void {
    this.fetch = fetch;
    fetch.result = result;
    const settled = (run: () => void): void => this.cell.send(closureMessage(run));
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
    const why = fetch.over;
    if (why === undefined) throw error;
    if (error !== why && !(error instanceof Error && error.name === "AbortError"))
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
    if (this.fetch === undefined) return;
    const error = new SluiceError("SLUICE_EXITED", `${this.cell.pid} ${why}`, { reason });
    this.fetch.abort(error);
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
    this.mode = "forward";
    this.release();
    this.giveUp("drains", "shutdown");
    const result = this.fetch?.result;
    if (result !== undefined) {
      const settled = (): Promise<void> =>
        new Promise((resolve) => this.cell.send(closureMessage(resolve)));
      // What it brought is a message before this one.
      await result.then(settled, settled);
    }
    await this.taken();
  }

  inspect(): { readonly figures: Figures; readonly upstream: readonly never[] } {
    return { figures: { ...this.behind, done: this.outlet.delivered }, upstream: [] };
  }
}
