import { describeReason, invalidOption, isOrderly, type ExitReason } from "../support/internal.ts";
import { log, restarted } from "../telemetry/internal.ts";
import {
  Cell,
  closureMessage,
  Kind,
  Later,
  RestartIntensity,
  State,
  Waits,
  childAt,
  giveUp,
  startFailed,
  stopChild,
  type ExitMessage,
  type Engine,
  type Figures,
  type Message,
  type Plan,
  type Upstream,
} from "../process/internal.ts";
import type { Backoff, ChildCounts, ChildSpec, Ref } from "../process/index.ts";
import { intakeEnded, subscribeAll } from "./accepting.ts";
import { excess } from "./batch-inlet.ts";
import type { EventChildInfo } from "./consumer-supervisor.ts";
import { Inlet } from "./inlet.ts";
import type { Intake } from "./intake.ts";
import { StageKind, type Cancel, type Events } from "./protocol.ts";
import { loseBehind } from "./trail.ts";
import { Postponed, Work, WorkExtras } from "./work.ts";

/** What runs when the last of these is through. */
interface After {
  readonly works: Set<Work>;
  readonly run: () => unknown;
}

const noCallbacks = {};
/** Every finished child asks for one more. */
const allButOne = (maxDemand: number): number => maxDemand - 1;

/** How children are made and what their end means. */
export interface ConsumerSupervisorConfig {
  /** The plan of every child; of those that could not be made, where `specOf` makes them. */
  readonly plan: Plan;
  /** The event is the argument of the constructor. */
  readonly constructs: boolean;
  readonly specOf: ((event: unknown) => ChildSpec<unknown>) | undefined;
  readonly restart: "transient" | "temporary";
  readonly restartDelayMs: number | Backoff;
  readonly maxRestarts: number;
  readonly maxSeconds: number;
}

/** Stands for a child that could not be made: its start fails as that has. */
class Unmade {
  constructor(error: unknown) {
    throw error;
  }
}

/**
 * The engine of a ConsumerSupervisor: one child per event, asked for again as children end, so that no more than
 * `maxDemand` of each subscription run at once. Nothing that a child does holds its mailbox.
 */
export class ConsumerSupervisorEngine implements Engine {
  readonly role = "supervisor";
  readonly inlet: Inlet;
  readonly #cell: Cell;
  readonly #config: ConsumerSupervisorConfig;
  readonly #intensity: RestartIntensity;
  /** Those that wait for a restart, in their slots. */
  readonly #postponed: Set<Postponed> = new Set();
  /** Those in work, the postponed ones included. */
  #running = 0;
  #done = 0;
  #failed = 0;
  #restarts = 0;
  /** Whose freed slots have not been asked for yet. */
  #owing: Intake | undefined = undefined;
  /** A subscription that it cannot be without has ended in order: so does this, after its children. */
  #last: ExitReason | undefined = undefined;
  #idle: (() => void)[] = [];
  #after: After[] = [];

  constructor(cell: Cell, config: ConsumerSupervisorConfig) {
    this.#cell = cell;
    this.#config = config;
    this.#intensity = new RestartIntensity(config.maxRestarts, config.maxSeconds);
    this.inlet = new Inlet(cell, allButOne, false);
  }

  started(): void {
    subscribeAll(this.#cell, noCallbacks, this.inlet);
  }

  receive(message: Message): void {
    switch (message.kind) {
      case StageKind.events:
        return this.#begin(message as Events);
      case Kind.childExit: {
        const { from: child, content: reason } = message as ExitMessage;
        this.#ended(child as Cell, reason);
        // Ends that wait in a row are asked for together.
        if (this.#cell.head?.kind !== Kind.childExit) this.#ask();
        return;
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
    this.#running += events.length;
    for (let index = 0; index < events.length; index++) {
      const slot = index < counted ? intake : undefined;
      this.#start(slot, events[index], enteredMs, 1, undefined);
    }
  }

  #start(
    intake: Intake | undefined,
    event: unknown,
    enteredMs: number,
    attempt: number,
    more: WorkExtras | undefined,
  ): Cell {
    const { plan, specOf } = this.#config;
    if (specOf === undefined) return this.#launch(plan, intake, event, enteredMs, attempt, more);
    const extras = more ?? new WorkExtras();
    try {
      const { "~plan": own } = (extras.spec = checkedSpec(specOf(event)));
      return this.#launch(own, intake, event, enteredMs, attempt, extras);
    } catch (error) {
      // No spec was made, or the name in it is taken: a start that fails, like any other.
      const unmade = { ...plan, process: Unmade, args: [error] };
      return this.#launch(unmade, intake, event, enteredMs, attempt, extras);
    }
  }

  #launch(
    plan: Plan,
    intake: Intake | undefined,
    event: unknown,
    enteredMs: number,
    attempt: number,
    more: WorkExtras | undefined,
  ): Cell {
    const args = this.#config.constructs ? [event] : plan.args;
    const child = new Cell(this.#cell.system, plan, this.#cell, args);
    child.note = new Work(child, intake, event, enteredMs, attempt, more);
    return child.begin();
  }

  #ended(child: Cell, reason: ExitReason): void {
    const work = child.note as Work;
    if (isOrderly(reason)) this.#done++;
    else if (this.#again(work, reason)) return;
    else this.#fail(work, reason);
    this.#free(work);
  }

  /** Tries the same event again, if its crash means that. */
  #again(work: Work, reason: ExitReason): boolean {
    const { cell: child, more } = work;
    // Whoever asked for it has been told.
    if (more?.starting !== undefined) return false;
    const { pid, system, state } = this.#cell;
    log("error", `${child.pid} of ${pid} ended: ${describeReason(reason)}`, reason);
    const { restart, restartDelayMs } = this.#config;
    if (restart !== "transient" || state !== State.running || more?.leaving === true) return false;
    if (!this.#intensity.allows(system.runtime.now())) {
      giveUp(this.#cell, this.#intensity, child.pid, reason);
      return false;
    }
    this.#restarts++;
    if (restarted.active) restarted.emit({ supervisor: pid, child: child.pid, reason });
    const delayMs = restartDelayMs === 0 ? 0 : this.#delay(work);
    if (delayMs === 0) this.#retry(work);
    else this.#postponed.add(new Postponed(this.#cell, work, delayMs, this.#due));
    return true;
  }

  #delay({ extras }: Work): number {
    const { runtime } = this.#cell.system;
    const waits = (extras.waits ??= new Waits(this.#config.restartDelayMs));
    waits.wasUp(runtime.now() - extras.startedMs);
    return waits.next(() => runtime.random());
  }

  readonly #due = (postponed: Postponed): void => {
    if (this.#postponed.delete(postponed)) this.#retry(postponed.work);
  };

  #retry(work: Work): void {
    const { intake, event, "~enteredMs": enteredMs, attempt, more } = work;
    if (more !== undefined) more.startedMs = this.#cell.system.runtime.now();
    const { note } = this.#start(intake, event, enteredMs, attempt + 1, more);
    for (const { works } of this.#after) if (works.delete(work)) works.add(note as Work);
  }

  /** Its event is not handled, for good. */
  #fail({ cell, intake }: Work, reason: ExitReason): void {
    this.#failed++;
    if (intake !== undefined) loseBehind(intake.producer, cell, reason);
  }

  /** Its slot is free; the last one to end may be awaited. */
  #free(work: Work): void {
    const { intake } = work;
    this.#running--;
    if (intake !== undefined) {
      intake.running--;
      intake.pending--;
      if (this.#owing !== intake) this.#ask();
      this.#owing = intake;
    }
    if (this.#after.length > 0) this.#left(work);
    if (this.#running > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
    if (this.#last !== undefined) this.#cell.stop(this.#last);
  }

  /** Asks for what is due, if as many slots are free as the window says. */
  #ask(): void {
    const intake = this.#owing;
    this.#owing = undefined;
    if (intake === undefined || this.#last !== undefined || this.#cell.closed) return;
    if (!this.inlet.intakes.has(intake.tag)) this.inlet.confirmEnd(intake);
    else intake.renew(intake.pending);
  }

  /** After a crash at once; else what is in work may end, but nothing more is asked for. */
  #endsWith(reason: ExitReason): void {
    if (this.#running === 0 || !isOrderly(reason)) this.#cell.stop(reason);
    else this.#last ??= reason;
  }

  startChild(event: unknown): Later<Ref<unknown>> {
    const started = new Later<Ref<unknown>>();
    const more = new WorkExtras();
    more.starting = started;
    this.#running++;
    const child = this.#start(undefined, event, this.#cell.system.runtime.now(), 1, more);
    child.onStart = (failure) => {
      if (failure !== undefined) return started.settle(startFailed(child.plan, failure), undefined);
      more.starting = undefined;
      started.settle(undefined, child.ref as unknown as Ref<unknown>);
    };
    return started;
  }

  terminateChild(target: Ref<unknown> | string): Later<void> {
    const ended = new Later<void>();
    const found = this.#find(target);
    if (found instanceof Postponed) this.#dismiss(found);
    if (found instanceof Cell) {
      (found.note as Work).extras.leaving = true;
      void stopChild(this.#cell, { id: found.pid, plan: found.plan }, found).then(() =>
        ended.settle(undefined, undefined),
      );
    } else ended.settle(undefined, undefined);
    return ended;
  }

  /** Nobody, when it has ended and is not to come again. */
  #find(target: Ref<unknown> | string): Cell | Postponed | undefined {
    if (typeof target === "string") {
      for (const child of this.#children) if (child.pid === target) return child;
      return [...this.#postponed].find(({ work }) => work.cell.pid === target);
    }
    const cell = childAt(this.#cell, target);
    if (cell === undefined || cell.state !== State.dead) return cell;
    return [...this.#postponed].find(({ work }) => work.cell === cell);
  }

  #dismiss(postponed: Postponed): void {
    postponed.cancel();
    this.#postponed.delete(postponed);
    this.#fail(postponed.work, "shutdown");
    this.#free(postponed.work);
    this.#ask();
  }

  get #children(): Iterable<Cell> {
    return this.#cell.children ?? [];
  }

  whichChildren(): readonly EventChildInfo<unknown, unknown>[] {
    const infos = [];
    for (const { note } of this.#children) infos.push((note as Work).info(undefined));
    for (const { work, restInMs } of this.#postponed) infos.push(work.info(restInMs));
    return infos;
  }

  countChildren(): ChildCounts {
    let supervisors = 0;
    for (const { note } of this.#children) if ((note as Work).type === "supervisor") supervisors++;
    for (const { work } of this.#postponed) if (work.type === "supervisor") supervisors++;
    const specs = this.#running;
    const active = specs - this.#postponed.size;
    return { specs, active, supervisors, workers: specs - supervisors, restarts: this.#restarts };
  }

  stopping(): void {
    for (const postponed of this.#postponed) postponed.cancel();
  }

  exited(): void {
    this.stopping();
  }

  /** Children are told to stop at once, all together, and awaited (G118). */
  async stopAll(): Promise<void> {
    const stops = [...this.#children].map((child) =>
      stopChild(this.#cell, { id: child.pid, plan: child.plan }, child),
    );
    await Promise.all(stops);
  }

  /** Runs after all that are in work now, in whichever try they succeed. */
  afterBuffered(run: () => unknown): void {
    const works = new Set<Work>();
    for (const { note } of this.#children) works.add(note as Work);
    for (const { work } of this.#postponed) works.add(work);
    // Those whose end has not been heard of.
    for (let message = this.#cell.head; message !== undefined; message = message.next)
      if (message.kind === Kind.childExit)
        works.add(((message as ExitMessage).from as Cell).note as Work);
    if (works.size > 0) this.#after.push({ works, run });
    else this.#cell.send(closureMessage(run));
  }

  #left(work: Work): void {
    for (const { works, run } of this.#after)
      if (works.delete(work) && works.size === 0) this.#cell.send(closureMessage(run));
    this.#after = this.#after.filter(({ works }) => works.size > 0);
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

function checkedSpec(spec: ChildSpec<unknown>): ChildSpec<unknown> {
  if ((spec as Partial<ChildSpec<unknown>> | undefined)?.["~plan"] !== undefined) return spec;
  throw invalidOption("child", spec, "a spec made by child(…), supervisor(…) or the like");
}
