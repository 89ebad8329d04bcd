import {
  SluiceError,
  checkInteger,
  describeReason,
  isOrderly,
  type ExitReason,
} from "../support/internal.ts";
import { log } from "../telemetry/internal.ts";
import {
  Cell,
  Kind,
  RestartIntensity,
  State,
  cellOf,
  stopCell,
  type ChildExitMessage,
  type Engine,
  type Figures,
  type Message,
  type Plan,
  type Upstream,
} from "../process/internal.ts";
import { Process } from "../process/index.ts";
import { intakeEnded, subscribeAll } from "./accepting.ts";
import { Inlet, type Intake } from "./inlet.ts";
import { StageKind, ask, transmit, type Cancel, type Events } from "./protocol.ts";

/** What the supervisor knows of a child: its event, whose it was, and which try this is. */
export class Work {
  readonly intake: Intake;
  readonly event: unknown;
  readonly enteredMs: number;
  attempt = 1;

  constructor(intake: Intake, event: unknown, enteredMs: number) {
    this.intake = intake;
    this.event = event;
    this.enteredMs = enteredMs;
  }
}

const noCallbacks = {};

/** How children are made and what their end means. */
export interface ConsumerSupervisorConfig {
  readonly child: Plan;
  readonly restart: "transient" | "temporary";
  readonly maxRestarts: number;
  readonly maxSeconds: number;
}

/**
 * The engine of a ConsumerSupervisor: one child per event, asked for again as children end, so that no more than
 * `maxDemand` run at once.
 */
export class ConsumerSupervisorProcess extends Process implements Engine {
  static readonly "~optionNames": ReadonlySet<string> = new Set(["subscribeTo"]);
  readonly role = "supervisor";
  readonly #config: ConsumerSupervisorConfig;
  readonly #intensity: RestartIntensity;
  readonly #inlet: Inlet;
  readonly #cell: Cell;
  #running = 0;
  #done = 0;
  #failed = 0;
  #onIdle: (() => void) | undefined = undefined;

  constructor(config: ConsumerSupervisorConfig) {
    super();
    checkInteger("maxRestarts", config.maxRestarts, 0);
    checkInteger("maxSeconds", config.maxSeconds, 1);
    this.#config = config;
    this.#intensity = new RestartIntensity(config.maxRestarts, config.maxSeconds);
    this.#cell = cellOf(this);
    this.#inlet = new Inlet(
      this.#cell,
      () => undefined,
      (maxDemand) => maxDemand - 1,
    );
    this.#cell.engine = this;
  }

  started(): void {
    subscribeAll(this.#cell, noCallbacks, this.#inlet);
  }

  get inlet(): Inlet {
    return this.#inlet;
  }

  receive(message: Message): void {
    switch (message.kind) {
      case StageKind.events:
        return this.#begin(message as Events);
      case Kind.childExit:
        return this.#ended(
          (message as ChildExitMessage).child as Cell,
          (message as ChildExitMessage).reason,
        );
      case StageKind.cancelled:
        return void intakeEnded(
          this.#cell,
          noCallbacks,
          this.#inlet,
          (message as Cancel).tag,
          "cancel",
          (message as Cancel).reason,
        );
      case StageKind.producerDown:
        return void intakeEnded(
          this.#cell,
          noCallbacks,
          this.#inlet,
          (message as Cancel).tag,
          "down",
          (message as Cancel).reason,
        );
      default:
    }
  }

  #begin({ tag, events, enteredMs }: Events): void {
    const intake = this.#inlet.intakes.get(tag);
    if (intake === undefined) return;
    const { pid } = this.#cell;
    if (events.length > intake.pending)
      log(
        "error",
        `${pid} got ${events.length - intake.pending} events in excess from ${intake.producer.pid}`,
      );
    for (const event of events) this.#start(new Work(intake, event, enteredMs));
  }

  #start(work: Work): void {
    const child = new Cell(this.#cell.system, this.#config.child, this.#cell, [work.event]);
    child.note = work;
    this.#running++;
    child.begin();
  }

  #ended(child: Cell, reason: ExitReason): void {
    const work = child.note as Work;
    this.#running--;
    if (!isOrderly(reason)) {
      this.#failed++;
      log("error", `${child.pid} of ${this.#cell.pid} ended: ${describeReason(reason)}`, reason);
      if (this.#config.restart === "transient" && this.#cell.state === State.running) {
        if (this.#intensity.allows(this.#cell.system.runtime.now())) {
          work.attempt++;
          return this.#start(work);
        }
        return this.#giveUp();
      }
    }
    this.#done++;
    this.#giveBack(work.intake);
    if (this.#running === 0) this.#onIdle?.();
  }

  /** A slot is free; asks for more when as many are free as the window says. */
  #giveBack(intake: Intake): void {
    const { maxDemand, minDemand } = intake.wanted;
    intake.pending--;
    if (intake.pending > minDemand || !this.#inlet.intakes.has(intake.tag)) return;
    const count = maxDemand - intake.pending;
    intake.pending = maxDemand;
    transmit(intake.producer, ask(intake.tag, count));
  }

  #giveUp(): void {
    const { maxRestarts: restarts, maxSeconds: seconds } = this.#config;
    const { pid } = this.#cell;
    const message = `${pid} gives up: more than ${restarts} restarts in ${seconds} s`;
    log("error", message);
    this.#cell.stop({
      shutdown: new SluiceError("SLUICE_RESTART_INTENSITY", message, {
        supervisor: pid,
        restarts,
        seconds,
      }),
    });
  }

  /** Children are told to stop at once, all together, and awaited (G118). */
  protected override async terminate(): Promise<void> {
    const children = [...(this.#cell.more?.children ?? [])];
    await Promise.all(children.map((child) => stopCell(child, "shutdown", undefined)));
  }

  drain(): PromiseLike<void> | undefined {
    if (this.#running === 0) return undefined;
    return new Promise((resolve) => {
      this.#onIdle = () => {
        this.#onIdle = undefined;
        resolve();
      };
    });
  }

  moved(): number {
    return this.#done;
  }

  inspect(): { readonly figures: Figures; readonly upstream: readonly Upstream[] } {
    const inlet = this.#inlet;
    return {
      figures: {
        asked: inlet.asked,
        running: this.#running,
        done: this.#done,
        failed: this.#failed,
      },
      upstream: inlet.upstream,
    };
  }
}
