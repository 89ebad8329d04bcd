import type { Cell, Engine, Figures, Message, Upstream } from "../process/internal.ts";
import type { Context } from "../process/index.ts";
import { log } from "../telemetry/internal.ts";
import { intakeEnded, misdirected, subscribeAll } from "./accepting.ts";
import { BatchInlet, type BatchHandler } from "./batch-inlet.ts";
import type { Intake } from "./intake.ts";
import { StageKind, type Cancel, type Events } from "./protocol.ts";
import type { StageCallbacks } from "./stage-callbacks.ts";

/** Known to the compiler, where what is imported is read each time. */
const kinds = StageKind;

/** A consumer has returned events: nobody is there to take them. */
export function thrownAway({ pid }: Cell, result: unknown): void {
  if (!Array.isArray(result) || result.length === 0) return;
  log("error", `${pid} is a consumer and returned ${result.length} events: they are thrown away`);
}

/** The engine of a consumer. */
export class ConsumerEngine implements Engine, BatchHandler {
  readonly role = "consumer";
  readonly cell: Cell;
  readonly stage: StageCallbacks;
  readonly inlet: BatchInlet;
  /** What its callback is given. */
  context: Context | undefined = undefined;

  constructor(cell: Cell, stage: StageCallbacks) {
    this.cell = cell;
    this.stage = stage;
    this.inlet = new BatchInlet(cell, this);
  }

  started(): void {
    this.context = this.cell.context;
    subscribeAll(this.cell, this.stage, this.inlet);
  }

  receive(message: Message): void {
    switch (message.kind) {
      case kinds.events:
        return this.inlet.receive(message as Events);
      case kinds.cancelled:
      case kinds.producerDown:
        return this.intakeEnded(message as Cancel);
      default:
        misdirected(this.cell, this.role, message);
    }
  }

  intakeEnded(message: Cancel): void {
    const { cell, stage, inlet } = this;
    intakeEnded(cell, stage, inlet, message, (ends, reason) => {
      if (ends) cell.stop(reason);
    });
  }

  handle(events: readonly unknown[], from: Intake): unknown {
    return this.stage.handleEvents!(events, from, this.context!);
  }

  emitted(result: unknown): void {
    thrownAway(this.cell, result);
  }

  full(): boolean {
    return false;
  }

  through(): void {}

  drain(): Promise<void> | undefined {
    return this.inlet.unpaused();
  }

  moved(): number {
    return this.inlet.handled;
  }

  inspect(): { readonly figures: Figures; readonly upstream: readonly Upstream[] } {
    const { inlet, cell } = this;
    return {
      figures: {
        asked: inlet.asked,
        waiting: inlet.events.length - inlet.start + inlet.kept + inlet.arrived,
        running: cell.busy ? 1 : 0,
        done: inlet.handled,
      },
      upstream: inlet.upstream,
    };
  }
}
