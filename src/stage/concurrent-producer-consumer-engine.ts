import { Deque, type ExitReason } from "../support/internal.ts";
import type { Cell, Figures, Message, Upstream } from "../process/internal.ts";
import { eventsOf, intakeEnded, subscribeAll } from "./accepting.ts";
import type { Concurrency } from "./concurrency.ts";
import { ConcurrentInlet, type PieceHandler } from "./concurrent-inlet.ts";
import { EmittingEngine } from "./emitting-engine.ts";
import type { OutletOptions } from "./outlet-options.ts";
import type { Piece } from "./piece.ts";
import { acceptingOutlet } from "./producer-consumer-engine.ts";
import { StageKind, type Cancel, type Events } from "./protocol.ts";
import type { StageCallbacks } from "./stage-callbacks.ts";

/**
 * The engine of a producer-consumer with work in flight. It begins only while somebody downstream has asked, and only
 * what it has a place for if each event becomes one: in the demand that waits, else in the buffer.
 */
export class ConcurrentProducerConsumerEngine extends EmittingEngine implements PieceHandler {
  readonly role = "producer_consumer";
  readonly inlet: ConcurrentInlet;
  /** In order: what has begun and has not let go what it made. */
  readonly window: Deque<Piece> | undefined;

  /** @throws SLUICE_INVALID_OPTION */
  constructor(cell: Cell, stage: StageCallbacks, options: OutletOptions, concurrency: Concurrency) {
    super(
      cell,
      stage,
      acceptingOutlet(cell, options, () => this.inlet.largest),
    );
    this.inlet = new ConcurrentInlet(cell, concurrency, this);
    this.window = concurrency.order === "ordered" ? new Deque() : undefined;
  }

  started(): void {
    subscribeAll(this.cell, this.stage, this.inlet);
  }

  override receive(message: Message): void {
    switch (message.kind) {
      case StageKind.events:
        return this.inlet.receive(message as Events);
      case StageKind.cancelled:
      case StageKind.producerDown:
        return this.intakeEnded(message as Cancel);
      default:
        return super.receive(message);
    }
  }

  protected override demanded(): void {
    this.inlet.begin();
  }

  override serve(): void {
    super.serve();
    // The buffer may have a place again.
    this.inlet.begin();
  }

  places(): number {
    const { outlet, inlet } = this;
    const { requested, buffer, room } = outlet;
    if (requested <= 0) return 0;
    return room + (buffer.size === 0 ? requested : 0) - inlet.inFlight;
  }

  handle(piece: Piece): unknown {
    const { outlet, stage } = this;
    this.window?.push(piece);
    outlet.enteredMs = piece.enteredMs;
    try {
      return stage.handleEvents!(piece.events, piece.arrival.intake, piece.context);
    } finally {
      // Other callbacks run before it has ended: they do not inherit its stamp.
      outlet.enteredMs = undefined;
    }
  }

  completed(piece: Piece): void {
    const { window } = this;
    if (piece.value !== undefined) piece.value = eventsOf(this.cell, "handleEvents", piece.value);
    if (window === undefined) return this.letGo(piece);
    while (window.at(0)?.ended === true) this.letGo(window.shift()!);
  }

  letGo(piece: Piece): void {
    if (piece.value !== undefined)
      this.outlet.emit(piece.value as readonly unknown[], piece.enteredMs);
    this.inlet.leave(piece);
  }

  intakeEnded(message: Cancel): void {
    const { cell, stage, inlet } = this;
    if (inlet.defers(message)) return;
    intakeEnded(cell, stage, inlet, message, (ends, reason) => {
      // What its events have become is out before the stage ends with it.
      if (ends) this.afterBuffered(() => cell.stop(reason));
      inlet.begin();
    });
  }

  protected override get empty(): boolean {
    return this.inlet.idle && super.empty;
  }

  override afterBuffered(run: () => unknown): void {
    this.inlet.epochs.mark(() => super.afterBuffered(run));
  }

  async drain(): Promise<void> {
    if (this.outlet.consumptions.size > 0) await this.inlet.unpaused();
    await this.taken();
  }

  override moved(): number {
    return super.moved() + this.inlet.handled;
  }

  stopping(reason: ExitReason): void {
    this.inlet.abort(reason);
  }

  finishing(): void {
    this.inlet.finishing();
  }

  override exited(reason: ExitReason): void {
    this.inlet.abort(reason);
    super.exited(reason);
  }

  inspect(): { readonly figures: Figures; readonly upstream: readonly Upstream[] } {
    const { inlet, window = [] } = this;
    let reordering = 0;
    for (const { ended } of window) if (ended) reordering++;
    return {
      figures: {
        ...this.behind,
        waiting: inlet.line.size + inlet.kept + inlet.arrived,
        running: inlet.taken - reordering,
        reordering,
        done: inlet.handled,
      },
      upstream: inlet.upstream,
    };
  }
}
