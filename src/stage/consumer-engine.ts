import type { Cell, Engine, Figures, Message, Upstream } from "../process/internal.ts";
import { log } from "../telemetry/internal.ts";
import { intakeEnded, subscribeAll } from "./accepting.ts";
import { Inlet } from "./inlet.ts";
import { StageKind, type Cancel, type Events } from "./protocol.ts";
import type { StageCallbacks } from "./stage-callbacks.ts";

/** The engine of a consumer. */
export class ConsumerEngine implements Engine {
  readonly role = "consumer";
  readonly cell: Cell;
  readonly stage: StageCallbacks;
  readonly inlet: Inlet;

  constructor(cell: Cell, stage: StageCallbacks) {
    this.cell = cell;
    this.stage = stage;
    this.inlet = new Inlet(cell, (events, from) => stage.handleEvents!(events, from));
    this.inlet.emitted = (result) => {
      if (!Array.isArray(result) || result.length === 0) return;
      log(
        "error",
        `${cell.pid} is a consumer and returned ${result.length} events: they are thrown away`,
      );
    };
  }

  started(): void {
    subscribeAll(this.cell, this.stage, this.inlet);
  }

  receive(message: Message): void {
    switch (message.kind) {
      case StageKind.events:
        return this.inlet.receive(message as Events);
      case StageKind.cancelled:
        return void intakeEnded(
          this.cell,
          this.stage,
          this.inlet,
          (message as Cancel).tag,
          "cancel",
          (message as Cancel).reason,
        );
      case StageKind.producerDown:
        return void intakeEnded(
          this.cell,
          this.stage,
          this.inlet,
          (message as Cancel).tag,
          "down",
          (message as Cancel).reason,
        );
      default:
    }
  }

  moved(): number {
    return this.inlet.handled;
  }

  inspect(): { readonly figures: Figures; readonly upstream: readonly Upstream[] } {
    const { inlet, cell } = this;
    return {
      figures: { asked: inlet.asked, running: cell.busy ? 1 : 0, done: inlet.handled },
      upstream: inlet.upstream,
    };
  }
}
