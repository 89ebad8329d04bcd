import { SluiceError, describeReason, isOrderly, type ExitReason } from "../support/internal.ts";
import { log } from "../telemetry/internal.ts";
import {
  Cell,
  Kind,
  RestartIntensity,
  State,
  baseClass,
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
import { excess } from "./batch-inlet.ts";
import { Inlet } from "./inlet.ts";
import type { Intake } from "./intake.ts";
import { StageKind, type Cancel, type Events } from "./protocol.ts";

/** What the supervisor knows of a child: its event, whose that was, and which try this is. */
export class Work {
  /** Whose slot it takes; none, if the event came in excess. */
  readonly intake: Intake | undefined;
  readonly event: unknown;
  readonly enteredMs: number;
  attempt = 1;

  constructor(intake: Intake | undefined, event: unknown, enteredMs: number) {
    this.intake = intake;
    this.event = event;
    this.enteredMs = enteredMs;
  }
}

const noCallbacks = {};
/** Every finished child asks for one more. */
const allButOne = (maxDemand: number): number => maxDemand - 1;

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
  readonly inlet: Inlet;
  readonly #config: ConsumerSupervisorConfig;
  readonly #intensity: RestartIntensity;
  readonly #cell: Cell;
  #running = 0;
  #done = 0;
  #failed = 0;
  /** A subscription that it cannot be without has ended in order: so does this, after its children. */
  #last: ExitReason | undefined = undefined;
  #idle: (() => void)[] = [];

  constructor(config: ConsumerSupervisorConfig) {
    super();
    this.#config = config;
    this.#intensity = new RestartIntensity(config.maxRestarts, config.maxSeconds);
    this.#cell = cellOf(this);
    this.inlet = new Inlet(this.#cell, allButOne);
    this.#cell.engine = this;
  }

  started(): void {
    subscribeAll(this.#cell, noCallbacks, this.inlet);
  }

  receive(message: Message): void {
    switch (message.kind) {
      case StageKind.events:
        return this.#begin(message as Events);
      case Kind.childExit: {
        const { child, reason } = message as ChildExitMessage;
        return this.#ended(child as Cell, reason);
      }
      case StageKind.cancelled:
      case StageKind.producerDown:
        return intakeEnded(
          this.#cell,
          noCallbacks,
          this.inlet,
          message as Cancel,
          (ends, reason) => {
            if (ends) this.#endsWith(reason);
          },
        );
      default:
    }
  }

  #begin(message: Events): void {
    const { tag, events, enteredMs } = message;
    const intake = this.inlet.intakes.get(tag);
    if (intake === undefined) return;
    if (intake.kept !== undefined) return intake.kept.push(message);
    const counted = Math.min(events.length, intake.pending - intake.running);
    if (counted < events.length) excess(this.#cell, intake, events.length - counted);
    intake.running += counted;
    for (let index = 0; index < events.length; index++)
      this.#start(new Work(index < counted ? intake : undefined, events[index], enteredMs));
  }

  #start(work: Work): void {
    const child = new Cell(this.#cell.system, this.#config.child, this.#cell, [work.event]);
    child.note = work;
    this.#running++;
    child.begin();
  }

  #ended(child: Cell, reason: ExitReason): void {
    this.#running--;
    if (isOrderly(reason)) this.#done++;
    else {
      log("error", `${child.pid} of ${this.#cell.pid} ended: ${describeReason(reason)}`, reason);
      if (this.#again(child.note as Work)) return;
      this.#failed++;
    }
    this.#giveBack(child.note as Work);
    if (this.#running > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
    if (this.#last !== undefined) this.#cell.stop(this.#last);
  }

  /** Tries the same event again, if its crash means that. */
  #again(work: Work): boolean {
    if (this.#config.restart !== "transient" || this.#cell.state !== State.running) return false;
    if (!this.#intensity.allows(this.#cell.system.runtime.now())) {
      this.#giveUp();
      return false;
    }
    work.attempt++;
    this.#start(work);
    return true;
  }

  /** A slot is free; asks for more when as many are free as the window says. */
  #giveBack({ intake }: Work): void {
    if (intake === undefined) return;
    intake.running--;
    if (this.#last === undefined && this.inlet.intakes.has(intake.tag))
      intake.renew(intake.pending - 1);
  }

  /** After a crash at once; else what is in work may end, but nothing more is asked for. */
  #endsWith(reason: ExitReason): void {
    if (this.#running === 0 || !isOrderly(reason)) this.#cell.stop(reason);
    else this.#last ??= reason;
  }

  #giveUp(): void {
    const { maxRestarts: restarts, maxSeconds: seconds } = this.#config;
    const { pid } = this.#cell;
    const message = `${pid} gives up: more than ${restarts} restarts in ${seconds} s`;
    log("error", message);
    const details = { supervisor: pid, restarts, seconds };
    this.#cell.stop({ shutdown: new SluiceError("SLUICE_RESTART_INTENSITY", message, details) });
  }

  /** Children are told to stop at once, all together, and awaited (G118). */
  protected override async terminate(): Promise<void> {
    const children = [...(this.#cell.more?.children ?? [])];
    await Promise.all(children.map((child) => stopCell(child, "shutdown", undefined)));
  }

  drain(): PromiseLike<unknown> | undefined {
    const unpaused = this.inlet.unpaused();
    if (this.#running === 0) return unpaused;
    return Promise.all([unpaused, new Promise<void>((resolve) => this.#idle.push(resolve))]);
  }

  moved(): number {
    return this.#done + this.#failed;
  }

  inspect(): { readonly figures: Figures; readonly upstream: readonly Upstream[] } {
    return {
      figures: {
        asked: this.inlet.asked,
        waiting: this.inlet.kept + this.inlet.arrived,
        running: this.#running,
        done: this.#done,
        failed: this.#failed,
      },
      upstream: this.inlet.upstream,
    };
  }
}

// What the runtime calls is no message.
baseClass(ConsumerSupervisorProcess);
