import type { ExitReason } from "../support/internal.ts";
import {
  closureMessage,
  type Cell,
  type Engine,
  type Figures,
  type Message,
  type Upstream,
} from "../process/internal.ts";
import { intakeEnded, misdirected, subscribeAll } from "./accepting.ts";
import type { Concurrency } from "./concurrency.ts";
import { ConcurrentInlet, type PieceHandler } from "./concurrent-inlet.ts";
import { thrownAway } from "./consumer-engine.ts";
import type { Piece } from "./piece.ts";
import { StageKind, type Cancel, type Events } from "./protocol.ts";
import type { StageCallbacks } from "./stage-callbacks.ts";

/** The engine of a consumer with work in flight. */
export class ConcurrentConsumerEngine implements Engine, PieceHandler {
  readonly role = "consumer";
  readonly cell: Cell;
  readonly stage: StageCallbacks;
  readonly inlet: ConcurrentInlet;

  constructor(cell: Cell, stage: StageCallbacks, concurrency: Concurrency) {
    this.cell = cell;
    this.stage = stage;
    this.inlet = new ConcurrentInlet(cell, concurrency, this);
  }

  started(): void {
    subscribeAll(this.cell, this.stage, this.inlet);
  }

  receive(message: Message): void {
    switch (message.kind) {
      case StageKind.events:
        return this.inlet.receive(message as Events);
      case StageKind.cancelled:
      case StageKind.producerDown:
        return this.intakeEnded(message as Cancel);
      default:
        misdirected(this.cell, this.role, message);
    }
  }

  intakeEnded(message: Cancel): void {
    const { cell, stage, inlet } = this;
    if (inlet.defers(message)) return;
    intakeEnded(cell, stage, inlet, message, (ends, reason) => {
      if (ends) inlet.stopAfterwards(reason);
      inlet.begin();
    });
  }

  handle(piece: Piece): unknown {
    return this.stage.handleEvents!(piece.events, piece.arrival.intake, piece.context);
  }

  completed(piece: Piece): void {
    thrownAway(this.cell, piece.value);
    this.inlet.leave(piece);
  }

  places(): number {
    return Infinity;
  }

  afterBuffered(run: () => unknown): void {
    this.inlet.epochs.mark(() => this.cell.send(closureMessage(run)));
  }

  async drain(): Promise<void> {
    await this.inlet.unpaused();
    await this.inlet.finished();
  }

  moved(): number {
    return this.inlet.handled;
  }

  stopping(reason: ExitReason): void {
    this.inlet.abort(reason);
  }

  finishing(): void {
    this.inlet.finishing();
  }

  exited(reason: ExitReason): void {
    this.inlet.abort(reason);
  }

  inspect(): { readonly figures: Figures; readonly upstream: readonly Upstream[] } {
    const { inlet } = this;
    return {
      figures: {
        asked: inlet.asked,
        waiting: inlet.line.size + inlet.kept + inlet.arrived,
        running: inlet.taken,
        done: inlet.handled,
      },
      upstream: inlet.upstream,
    };
  }
}
