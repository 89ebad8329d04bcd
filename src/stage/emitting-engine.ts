import {
  SluiceError,
  describeReason,
  invalidOption,
  type ExitReason,
} from "../support/internal.ts";
import {
  closureMessage,
  isThenable,
  type Cell,
  type Engine,
  type Figures,
  type Message,
} from "../process/internal.ts";
import type { Ref } from "../process/index.ts";
import { log } from "../telemetry/internal.ts";
import { invalidReturn, misdirected } from "./accepting.ts";
import type { Consumption, Outlet } from "./outlet.ts";
import {
  StageKind,
  cancel,
  cancelled,
  transmit,
  type Ask,
  type Cancel,
  type Subscribe,
} from "./protocol.ts";
import type { StageCallbacks } from "./stage-callbacks.ts";
import type { From } from "./subscription.ts";
import { Trail, loseBehind } from "./trail.ts";

/** Known to the compiler, where what is imported is read each time. */
const kinds = StageKind;

/** What producers and producer-consumers have in common: consumers subscribe, ask, cancel and go. */
export abstract class EmittingEngine implements Engine {
  abstract readonly role: string;
  readonly cell: Cell;
  readonly stage: StageCallbacks;
  readonly outlet: Outlet;
  #servesSoon = false;
  #trail: Trail | undefined = undefined;
  /** Who waits until all is taken, to be told when nobody is left to take it. */
  waiting: (() => void)[] | undefined = undefined;

  constructor(cell: Cell, stage: StageCallbacks, outlet: Outlet) {
    this.cell = cell;
    this.stage = stage;
    this.outlet = outlet;
    outlet.owner = this;
  }

  /** So many more events must come from upstream. */
  protected abstract demanded(missing: number): void;

  /** What is known of its events downstream. */
  get trail(): Trail {
    return (this.#trail ??= new Trail());
  }

  receive(message: Message): void {
    switch (message.kind) {
      case kinds.ask:
        return this.asked(message as Ask);
      case kinds.subscribe:
        return this.subscribed(message as Subscribe);
      case kinds.cancel:
      case kinds.consumerDown:
        return this.ended(message as Cancel);
      default:
        misdirected(this.cell, this.role, message);
    }
  }

  asked(message: Ask): void {
    const { outlet } = this;
    const consumption = outlet.find(message.tag);
    const { count } = message;
    const { head } = this.cell;
    message.isFree = true;
    // Else its subscription has ended while the ask was on its way, which the consumer is told by another message.
    if (consumption !== undefined) outlet.dispatcher.ask(consumption, count);
    if (head === undefined || head.kind !== kinds.ask || !outlet.gathers) this.serve();
  }

  serve(): void {
    const missing = this.outlet.serve();
    if (missing > 0) this.demanded(missing);
  }

  /** What was to run before the next event that waits has run. */
  goOn(): void {
    this.serve();
  }

  /** Demand is left over: it is served by a message, not within whatever runs now. */
  unserved(): void {
    if (this.#servesSoon) return;
    this.#servesSoon = true;
    this.cell.send(
      closureMessage(() => {
        this.#servesSoon = false;
        this.serve();
      }),
    );
  }

  subscribed(message: Subscribe): void {
    const { tag, replaces } = message;
    if (this.outlet.consumptions.has(tag))
      log("error", `${this.cell.pid} has subscription ${tag} already: nothing changes`);
    else if (replaces === undefined) this.accept(message);
    else this.ended(cancel(replaces.tag, replaces.reason), message);
  }

  accept(message: Subscribe): void {
    const consumption = this.outlet.subscribe(message);
    if (consumption === undefined) return;
    this.#trail?.subscribed(consumption);
    const answer = this.stage.handleSubscribe?.(
      "consumer",
      message.options,
      this.from(consumption),
    );
    if (answer === undefined || answer === "automatic") return;
    const expected = '"automatic" or nothing: the consumer says who asks';
    throw invalidReturn(this.cell, "handleSubscribe", answer, expected);
  }

  /** A consumer as the callbacks of its producer see it. */
  from({ consumer, tag }: Consumption): From {
    const refuse = (member: string) => (given?: unknown) => {
      throw invalidOption(
        member,
        given,
        "a subscription of its own: this is the consumer's affair",
      );
    };
    return {
      ref: consumer.ref as unknown as Ref<unknown>,
      tag,
      cancel: (reason = "normal") => transmit(this.cell, cancel(tag, reason)),
      ask: refuse("ask"),
      pause: refuse("pause"),
      resume: refuse("resume"),
      setDemand: refuse("setDemand"),
    };
  }

  /** A subscription ends; `successor` takes its place, whether or not there is such a one. */
  ended({ kind, tag, reason }: Cancel, successor?: Subscribe): void {
    const { outlet } = this;
    const consumption = outlet.unsubscribe(tag, kind === kinds.cancel);
    if (consumption === undefined) {
      if (outlet.release(tag)) this.serve();
      return successor && this.accept(successor);
    }
    const cause = kind === kinds.cancel ? "cancel" : "down";
    if (cause === "cancel") transmit(consumption.consumer, cancelled(tag, reason));
    else loseBehind(this.cell, consumption.consumer, reason);
    if (outlet.consumptions.size === 0 && successor === undefined) this.abandoned();
    const result = this.stage.handleCancel?.({ kind: cause, reason }, this.from(consumption));
    const then = (): void => {
      if (successor !== undefined) this.accept(successor);
      // With the slowest gone, a dispatcher may be able to deliver more.
      this.serve();
    };
    if (isThenable(result)) this.cell.hold(result, then);
    else then();
  }

  /** The last consumer has gone. */
  protected abandoned(): void {
    const { waiting } = this;
    this.waiting = undefined;
    if (waiting !== undefined) for (const resolve of waiting) resolve();
  }

  afterBuffered(run: () => unknown): void {
    this.outlet.afterBuffered(run);
  }

  /** Nothing waits here. */
  protected get empty(): boolean {
    return this.outlet.empty;
  }

  /** Settles when all that waits now is taken, or nobody is left to take it. */
  protected taken(): Promise<void> | undefined {
    if (this.empty || this.outlet.consumptions.size === 0) return undefined;
    return new Promise((resolve) => {
      (this.waiting ??= []).push(resolve);
      this.afterBuffered(resolve);
    });
  }

  /** How much is where behind the callbacks. */
  protected get behind(): Figures {
    const { dispatcher, buffer, offers, held, queued, dropped } = this.outlet;
    return {
      asked: dispatcher.demand,
      buffered: buffer.size,
      offers: offers.length,
      dropped,
      ...(dispatcher.queued !== undefined && { queued }),
      ...(held !== undefined && { heldAsks: held.counts.length }),
    };
  }

  moved(): number {
    return this.outlet.delivered + this.outlet.dropped;
  }

  exited(reason: ExitReason): void {
    const message = `${this.cell.pid} ended before it was offered everything (${describeReason(reason)})`;
    this.outlet.close(new SluiceError("SLUICE_EXITED", message, { reason }));
  }
}
