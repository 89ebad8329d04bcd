import {
  SluiceError,
  describeReason,
  invalidOption,
  type ExitReason,
} from "../support/internal.ts";
import type { Cell, Engine, Message } from "../process/internal.ts";
import type { Ref } from "../process/index.ts";
import type { Outlet, Consumption } from "./outlet.ts";
import {
  StageKind,
  cancelled,
  transmit,
  type Ask,
  type Cancel,
  type Subscribe,
} from "./protocol.ts";
import type { StageCallbacks } from "./stage-callbacks.ts";
import type { From } from "./subscription.ts";

/** A consumer as the callbacks of its producer see it. */
function fromConsumer(consumption: Consumption, end: (reason: ExitReason) => void): From {
  return {
    ref: consumption.consumer.ref as unknown as Ref<unknown>,
    tag: consumption.tag,
    cancel: (reason = "normal") => end(reason),
    ask: (count) => {
      throw invalidOption("ask", count, "a subscription of its own: only the consumer asks");
    },
  };
}

/** What producers and producer-consumers have in common: consumers subscribe, ask, cancel and go. */
export abstract class EmittingEngine implements Engine {
  abstract readonly role: string;
  readonly cell: Cell;
  readonly stage: StageCallbacks;
  readonly outlet: Outlet;

  constructor(cell: Cell, stage: StageCallbacks, outlet: Outlet) {
    this.cell = cell;
    this.stage = stage;
    this.outlet = outlet;
  }

  /** So many more events must come from upstream. */
  protected abstract demanded(missing: number): void;

  receive(message: Message): unknown {
    switch (message.kind) {
      case StageKind.ask:
        return this.asked(message as Ask);
      case StageKind.subscribe:
        return this.subscribed(message as Subscribe);
      case StageKind.cancel:
        return this.ended((message as Cancel).tag, "cancel", (message as Cancel).reason);
      case StageKind.consumerDown:
        return this.ended((message as Cancel).tag, "down", (message as Cancel).reason);
      default:
        return undefined;
    }
  }

  asked({ tag, count }: Ask): void {
    const { outlet } = this;
    const consumption = outlet.consumptions.get(tag);
    // Its subscription has ended while the ask was on its way, which the consumer is told by another message.
    if (consumption === undefined) return;
    outlet.dispatcher.ask(consumption, count);
    this.serve();
  }

  serve(): void {
    const missing = this.outlet.serve();
    if (missing > 0) this.demanded(missing);
  }

  subscribed(message: Subscribe): void {
    const consumption = this.outlet.subscribe(message);
    if (consumption === undefined || this.stage.handleSubscribe === undefined) return;
    const answer = this.stage.handleSubscribe("consumer", message.options, this.from(consumption));
    if (answer !== undefined && answer !== "automatic") {
      const got = String(answer);
      throw new SluiceError(
        "SLUICE_INVALID_RETURN",
        `handleSubscribe of ${this.cell.pid} returned ${got} for a consumer, which decides its mode itself`,
        {
          callback: "handleSubscribe",
          got,
          expected: '"automatic" or nothing',
        },
      );
    }
  }

  from(consumption: Consumption): From {
    return fromConsumer(
      consumption,
      (reason) => void this.ended(consumption.tag, "cancel", reason),
    );
  }

  ended(tag: number, kind: "cancel" | "down", reason: ExitReason): void {
    const consumption = this.outlet.consumptions.get(tag);
    if (consumption === undefined) return;
    if (kind === "cancel") transmit(consumption.consumer, cancelled(tag, reason));
    try {
      this.stage.handleCancel?.({ kind, reason }, this.from(consumption));
    } finally {
      this.outlet.unsubscribe(tag);
    }
    this.lost();
    // With the slowest gone, a dispatcher may be able to deliver more.
    this.serve();
  }

  /** A consumer has gone. */
  protected lost(): void {}

  afterBuffered(run: () => unknown): void {
    this.outlet.afterBuffered(run);
  }

  moved(): number {
    return this.outlet.delivered + this.outlet.dropped;
  }

  exited(reason: ExitReason): void {
    this.outlet.close(
      new SluiceError(
        "SLUICE_EXITED",
        `${this.cell.pid} ended before it was offered everything (${describeReason(reason)})`,
        { reason },
      ),
    );
  }

  /** Settles when nothing waits here any more. */
  protected whenEmpty(): PromiseLike<void> | undefined {
    const { outlet } = this;
    if (outlet.empty || outlet.consumptions.size === 0) return undefined;
    return new Promise((resolve) => {
      outlet.onEmpty = () => {
        outlet.onEmpty = undefined;
        resolve();
      };
    });
  }
}
