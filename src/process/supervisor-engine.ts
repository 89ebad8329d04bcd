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
import { giveUp } from "./give-up.ts";
import { Kind, type ExitMessage, type Message } from "./message.ts";
import { PutOff, dismiss } from "./put-off.ts";
import { RestartIntensity } from "./restart-intensity.ts";
import { spawn, stopCell } from "./spawn.ts";
import { stopChild } from "./stop-child.ts";
import { Supervised, lineageOf } from "./supervised.ts";

/** What a supervisor is made from, checked. */
export interface SupervisorConfig {
  readonly strategy: string;
  readonly maxRestarts?: number;
  readonly maxSeconds?: number;
  readonly autoShutdown?: string;
  readonly children: { readonly [id: string]: ChildSpec<unknown> };
}

/**
 * The engine of a supervisor (O18–O25): starts in order, restarts by strategy and intensity, stops in reverse. What it
 * does to its children holds its mailbox: one thing after the other.
 */
export class SupervisorEngine implements Engine {
  readonly role = "supervisor";
  readonly cell: Cell;
  readonly children: readonly Supervised[];
  readonly #strategy: string;
  readonly #autoShutdown: string;
  readonly #intensity: RestartIntensity;
  /** The child that is being started, so that a stop can reach it. */
  #starting: Cell | undefined = undefined;

  constructor(cell: Cell, config: SupervisorConfig) {
    const { strategy, autoShutdown = "never", maxRestarts = 3, maxSeconds = 5 } = config;
    this.cell = cell;
    this.#strategy = strategy;
    this.#autoShutdown = autoShutdown;
    this.#intensity = new RestartIntensity(maxRestarts, maxSeconds);
    const lineage = lineageOf(cell);
    this.children = Object.entries(config.children).map(
      ([id, spec]) => new Supervised(id, spec, lineage.of(id)),
    );
  }

  /** The process under an id now; asks nobody. */
  childCell(id: string): Cell | undefined {
    return this.children.find((child) => child.id === id)?.cell;
  }

  /** The process that was up last under an id. */
  lastCell(id: string): Cell | undefined {
    return this.children.find((child) => child.id === id)?.last;
  }

  async startAll(): Promise<void> {
    try {
      const alone = this.#strategy === "one_for_one";
      const groups = alone ? this.children.map((child) => [child]) : [this.children];
      for (const group of groups)
        if (!this.#waits(group)) for (const child of group) await this.#start(child);
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

  exited(): void {
    for (const child of this.children) dismiss(child);
  }

  receive(message: Message): unknown {
    if (message.kind !== Kind.childExit) return undefined;
    const { from: cell, content: reason } = message as ExitMessage;
    const child = this.children.find((one) => one.cell === cell);
    return child === undefined ? undefined : this.#ended(child, reason);
  }

  async restartChild(id: string): Promise<void> {
    const child = this.#find(id);
    if (child.cell !== undefined) return;
    const { zombie } = child.lineage;
    if (zombie !== undefined) throw new ErrorReply(haunted(id, zombie));
    try {
      await this.#start(child);
    } catch (error) {
      throw new ErrorReply(error);
    }
  }

  terminateChild(id: string): Promise<void> {
    return this.#stop([this.#find(id)]);
  }

  #find(id: string): Supervised {
    const child = this.children.find((one) => one.id === id);
    if (child !== undefined) return child;
    const ids = this.children.map((one) => one.id).join(", ");
    throw new ErrorReply(invalidOption("id", id, `one of ${ids}`));
  }

  /** Nothing is started any more once the supervisor itself is to end. */
  async #start(child: Supervised): Promise<void> {
    const { cell } = this;
    if (cell.closed) return;
    const begun = (started: Cell): void => {
      this.#starting = started;
      child.begun(started);
    };
    try {
      // Should it end before this line goes on, then its end waits in the mailbox, and finds it here.
      child.up(await spawn(cell.system, child.plan, cell, { begun }));
      dismiss(child);
    } finally {
      this.#starting = undefined;
    }
  }

  async #stop(children: readonly Supervised[]): Promise<void> {
    for (const child of children) dismiss(child);
    for (const child of children.toReversed()) {
      const { cell } = child;
      child.cell = undefined;
      if (cell !== undefined) await stopChild(this.cell, child, cell);
    }
  }

  /** A child has ended by itself. */
  #ended(child: Supervised, reason: ExitReason): unknown {
    child.ended(this.cell);
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
      ({ spec, cell, putOff }) => spec.significant && (cell !== undefined || putOff !== undefined),
    );
  }

  /** Whom a restart of the child concerns, in start order. */
  #group(child: Supervised): readonly Supervised[] {
    if (this.#strategy === "one_for_one") return [child];
    const first = this.#strategy === "one_for_all" ? 0 : this.children.indexOf(child);
    return this.children.slice(first);
  }

  async #restart(child: Supervised, reason: ExitReason): Promise<void> {
    const { runtime } = this.cell.system;
    if (!this.#intensity.allows(runtime.now()))
      return giveUp(this.cell, this.#intensity, child.id, reason);
    if (restarted.active) restarted.emit({ supervisor: this.cell.pid, child: child.id, reason });
    const group = this.#group(child);
    const delayMs = child.waits.next(() => runtime.random());
    await this.#stop(group);
    const again = group.filter(({ spec }) => spec.restart !== "temporary");
    if (delayMs > 0 && !this.cell.closed)
      new PutOff(this.cell, again, (due) => this.#bringUp(due)).after(delayMs);
    else await this.#bringUp(again);
  }

  async #bringUp(group: readonly Supervised[]): Promise<void> {
    if (this.#waits(group)) return;
    for (const [index, child] of group.entries()) {
      try {
        await this.#start(child);
      } catch (error) {
        log("error", `a restart of ${child.id} of ${this.cell.pid} failed`, error);
        // As a message, so that other ends are heard between two attempts (O23).
        new PutOff(this.cell, group.slice(index), ([first]) =>
          this.#restart(first!, { crash: error }),
        ).now();
        return;
      }
    }
  }

  /** Puts a start off while the callback of a killed incarnation still runs that must be the only one. */
  #waits(group: readonly Supervised[]): boolean {
    const zombie = group.find(({ lineage }) => lineage.zombie)?.lineage.zombie;
    if (zombie === undefined) return false;
    const { pid } = this.cell;
    log("warning", `${pid} waits: a callback of ${zombie.pid}, which was killed, still runs`);
    zombie.extras.onLaid = new PutOff(this.cell, group, (due) => this.#bringUp(due)).now;
    return true;
  }
}

function haunted(child: string, { pid: zombie }: Cell): SluiceError<"SLUICE_ZOMBIE"> {
  const message = `${child} is exclusive, and a callback of ${zombie}, which was killed, still runs`;
  return new SluiceError("SLUICE_ZOMBIE", message, { child, zombie });
}
