import {
  SluiceError,
  describeReason,
  invalidOption,
  isOrderly,
  type ExitReason,
} from "../support/internal.ts";
import { log, restarted } from "../telemetry/internal.ts";
import type { Cell } from "./cell.ts";
import type { ChildSpec } from "./child-spec.ts";
import type { Engine } from "./engine.ts";
import { ErrorReply } from "./error-reply.ts";
import { ClosureMessage, Kind, type ChildExitMessage, type Message } from "./message.ts";
import { labelled, type Plan } from "./plan.ts";
import { RestartIntensity } from "./restart-intensity.ts";
import { spawn, stopCell } from "./spawn.ts";

/** What a supervisor is made from, checked. */
export interface SupervisorConfig {
  readonly strategy: string;
  readonly maxRestarts?: number;
  readonly maxSeconds?: number;
  readonly autoShutdown?: string;
  readonly children: { readonly [id: string]: ChildSpec<unknown> };
}

/** One child: how to start it, and which incarnation runs. */
interface Child {
  readonly id: string;
  readonly spec: ChildSpec<unknown>;
  readonly plan: Plan;
  cell: Cell | undefined;
  /** Its start failed or has to wait: it comes. */
  restarting: boolean;
  /** An incarnation whose callback may still run, where the next one must wait for it. */
  last: Cell | undefined;
}

/**
 * The engine of a supervisor (O18–O25): starts in order, restarts by strategy and intensity, stops in reverse. What it
 * does to its children holds its mailbox: one thing after the other.
 */
export class SupervisorEngine implements Engine {
  readonly role = "supervisor";
  readonly cell: Cell;
  readonly children: readonly Child[];
  readonly #strategy: string;
  readonly #autoShutdown: string;
  readonly #intensity: RestartIntensity;
  readonly #seconds: number;
  /** The child that is being started, so that a stop can reach it. */
  #starting: Cell | undefined = undefined;

  constructor(cell: Cell, config: SupervisorConfig) {
    const { strategy, autoShutdown = "never", maxRestarts = 3, maxSeconds = 5 } = config;
    this.cell = cell;
    this.#strategy = strategy;
    this.#autoShutdown = autoShutdown;
    this.#seconds = maxSeconds;
    this.#intensity = new RestartIntensity(maxRestarts, maxSeconds);
    this.children = Object.entries(config.children).map(([id, spec]) => ({
      id,
      spec,
      plan: labelled(spec["~plan"], id),
      cell: undefined,
      restarting: false,
      last: undefined,
    }));
  }

  /** The process under an id now; asks nobody. */
  childCell(id: string): Cell | undefined {
    return this.children.find((child) => child.id === id)?.cell;
  }

  async startAll(): Promise<void> {
    try {
      for (const child of this.children) await this.#start(child);
    } catch (error) {
      await this.stopAll();
      // Stopped meanwhile, it ends for that reason.
      if (!this.cell.closed) throw error;
    }
  }

  stopAll(): Promise<void> {
    return this.#stop(this.children);
  }

  stopping(reason: ExitReason): void {
    if (this.#starting !== undefined) void stopCell(this.#starting, reason);
  }

  receive(message: Message): unknown {
    if (message.kind !== Kind.childExit) return undefined;
    const { child: cell, reason } = message as ChildExitMessage;
    const child = this.children.find((one) => one.cell === cell);
    return child === undefined ? undefined : this.#ended(child, reason);
  }

  async restartChild(id: string): Promise<void> {
    const child = this.#find(id);
    if (child.cell !== undefined || child.restarting || this.#waits([child], "shutdown")) return;
    try {
      await this.#start(child);
    } catch (error) {
      throw new ErrorReply(error);
    }
  }

  async terminateChild(id: string): Promise<void> {
    const child = this.#find(id);
    child.restarting = false;
    await this.#stop([child]);
  }

  #find(id: string): Child {
    const child = this.children.find((one) => one.id === id);
    if (child !== undefined) return child;
    const ids = this.children.map((one) => one.id).join(", ");
    throw new ErrorReply(invalidOption("id", id, `one of ${ids}`));
  }

  /** Nothing is started any more once the supervisor itself is to end. */
  async #start(child: Child): Promise<void> {
    const { cell } = this;
    if (cell.closed) return;
    const begun = (started: Cell): void => {
      this.#starting = started;
      if (child.plan.exclusive) child.last = started;
    };
    try {
      // Should it end before this line goes on, then its end waits in the mailbox, and finds it here.
      child.cell = await spawn(cell.system, child.plan, cell, { begun });
      child.restarting = false;
    } finally {
      this.#starting = undefined;
    }
  }

  async #stop(children: readonly Child[]): Promise<void> {
    for (const child of children.toReversed()) {
      const { cell, id } = child;
      child.cell = undefined;
      if (cell === undefined) continue;
      const reason = await stopCell(cell, "shutdown");
      const killed = reason === "killed" && child.plan.shutdown === "kill";
      if (!isOrderly(reason) && !killed)
        log(
          "error",
          `${id} of ${this.cell.pid} did not stop in order: ${describeReason(reason)}`,
          reason,
        );
    }
  }

  /** A child has ended by itself. */
  #ended(child: Child, reason: ExitReason): unknown {
    child.cell = undefined;
    const { restart, significant } = child.spec;
    if (!isOrderly(reason))
      log("error", `${child.id} of ${this.cell.pid} ended: ${describeReason(reason)}`, reason);
    if (restart === "permanent" || (restart === "transient" && !isOrderly(reason)))
      return this.#restart(child, reason);
    if (significant && this.#isLast()) this.cell.stop("shutdown");
    return undefined;
  }

  /** Is the end of one significant child the end of all? */
  #isLast(): boolean {
    if (this.#autoShutdown === "any_significant") return true;
    return !this.children.some(
      ({ spec, cell, restarting }) => spec.significant && (cell !== undefined || restarting),
    );
  }

  /** Whom a restart of the child concerns, in start order. */
  #group(child: Child): readonly Child[] {
    if (this.#strategy === "one_for_one") return [child];
    const first = this.#strategy === "one_for_all" ? 0 : this.children.indexOf(child);
    return this.children.slice(first);
  }

  async #restart(child: Child, reason: ExitReason): Promise<void> {
    if (!this.#intensity.allows(this.cell.system.runtime.now())) return this.#giveUp(child, reason);
    if (restarted.active) restarted.emit({ supervisor: this.cell.pid, child: child.id, reason });
    const group = this.#group(child);
    await this.#stop(group);
    await this.#bringUp(
      group.filter(({ spec }) => spec.restart !== "temporary"),
      reason,
    );
  }

  async #bringUp(group: readonly Child[], reason: ExitReason): Promise<void> {
    if (this.#waits(group, reason)) return;
    for (const [index, child] of group.entries()) {
      try {
        await this.#start(child);
      } catch (error) {
        log("error", `a restart of ${child.id} of ${this.cell.pid} failed`, error);
        // As a message, so that other ends are heard between two attempts (O23).
        this.#whenDue(group.slice(index), ([first]) => this.#restart(first!, { crash: error }))();
        return;
      }
    }
  }

  /** Puts a start off while the callback of a killed incarnation still runs that must be the only one. */
  #waits(group: readonly Child[], reason: ExitReason): boolean {
    const zombie = group.find(({ last }) => last?.zombie)?.last;
    if (zombie === undefined) return false;
    const { pid } = this.cell;
    log("warning", `${pid} waits: a callback of ${zombie.pid}, which was killed, still runs`);
    zombie.extras.onLaid = this.#whenDue(group, (due) => this.#bringUp(due, reason));
    return true;
  }

  /** Goes on with those of a group that are still to be started. */
  #whenDue(group: readonly Child[], go: (due: readonly Child[]) => Promise<void>): () => void {
    for (const child of group) child.restarting = true;
    return () =>
      this.cell.send(
        new ClosureMessage(() => {
          const due = group.filter(({ restarting }) => restarting);
          return due.length > 0 ? go(due) : undefined;
        }),
      );
  }

  #giveUp(child: Child, reason: ExitReason): void {
    const { pid: supervisor } = this.cell;
    const { maxRestarts: restarts } = this.#intensity;
    const seconds = this.#seconds;
    const message = `${supervisor} gives up: more than ${restarts} restarts in ${seconds} s, last of ${child.id} (${describeReason(reason)})`;
    log("error", message, reason);
    const details = { supervisor, restarts, seconds };
    this.cell.stop({ shutdown: new SluiceError("SLUICE_RESTART_INTENSITY", message, details) });
  }
}
