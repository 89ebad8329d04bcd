import {
  SluiceError,
  checkInteger,
  describeReason,
  invalidOption,
  isOrderly,
  type ExitReason,
} from "../support/internal.ts";
import { log, restarted } from "../telemetry/internal.ts";
import { State, type Cell } from "./cell.ts";
import { labelled, type ChildSpec } from "./child-spec.ts";
import type { Engine } from "./engine.ts";
import { ClosureMessage, Kind, type ChildExitMessage, type Message } from "./message.ts";
import type { Plan } from "./plan.ts";
import { Process, cellOf } from "./process.ts";
import { RestartIntensity } from "./restart-intensity.ts";
import { spawn, stopCell } from "./start.ts";

interface Options {
  readonly strategy: string;
  readonly maxRestarts?: number;
  readonly maxSeconds?: number;
  readonly autoShutdown?: string;
  readonly children: { readonly [id: string]: ChildSpec<unknown> };
}

interface Child {
  readonly id: string;
  readonly spec: ChildSpec<unknown>;
  readonly plan: Plan;
  cell: Cell | undefined;
  restarting: boolean;
}

const strategies = ["one_for_one", "one_for_all", "rest_for_one"];
const autoShutdowns = ["never", "any_significant", "all_significant"];

/** The engine of a supervisor (O18–O25): starts in order, restarts by strategy and intensity, stops in reverse. */
export class SupervisorProcess extends Process implements Engine {
  readonly role = "supervisor";
  readonly #strategy: string;
  readonly #autoShutdown: string;
  readonly #intensity: RestartIntensity;
  readonly #maxSeconds: number;
  readonly #children: Child[];
  /** The child that is being started, so that a stop can reach it. */
  #starting: Cell | undefined = undefined;

  /** @throws SLUICE_INVALID_OPTION */
  static check(options: Options): void {
    const { strategy, maxRestarts = 3, maxSeconds = 5, autoShutdown = "never", children } = options;
    if (!strategies.includes(strategy))
      throw invalidOption("strategy", strategy, strategies.join(", "));
    if (!autoShutdowns.includes(autoShutdown))
      throw invalidOption("autoShutdown", autoShutdown, autoShutdowns.join(", "));
    checkInteger("maxRestarts", maxRestarts, 0);
    checkInteger("maxSeconds", maxSeconds, 1);
    for (const [id, spec] of Object.entries(children)) {
      if (/^\d+$/.test(id))
        throw invalidOption(
          `children: ${id}`,
          id,
          "an id that is no number, which JavaScript would reorder",
        );
      if (spec?.["~plan"] === undefined)
        throw invalidOption(
          `children: ${id}`,
          spec,
          "a spec made by child(…), supervisor(…) or the like",
        );
      if (spec.significant && autoShutdown === "never")
        throw invalidOption(
          `children: ${id}: significant`,
          true,
          'false while autoShutdown is "never"',
        );
    }
  }

  constructor(options: Options) {
    super();
    this.#strategy = options.strategy;
    this.#autoShutdown = options.autoShutdown ?? "never";
    this.#maxSeconds = options.maxSeconds ?? 5;
    this.#intensity = new RestartIntensity(options.maxRestarts ?? 3, this.#maxSeconds);
    this.#children = Object.entries(options.children).map(([id, spec]) => ({
      id,
      spec,
      plan: labelled(spec["~plan"], id),
      cell: undefined,
      restarting: false,
    }));
    cellOf(this).engine = this;
  }

  protected override async init(): Promise<void> {
    try {
      for (const child of this.#children) await this.#start(child);
    } catch (error) {
      await this.#stopChildren(this.#children);
      throw error;
    }
  }

  protected override terminate(): Promise<void> {
    return this.#stopChildren(this.#children);
  }

  whichChildren(): { readonly id: string; readonly pid: string | undefined }[] {
    return this.#children.map(({ id, cell, restarting }) => ({
      id,
      pid: restarting ? "restarting" : cell?.pid,
    }));
  }

  countChildren(): { readonly specs: number; readonly active: number } {
    const active = this.#children.filter(({ cell }) => cell !== undefined).length;
    return { specs: this.#children.length, active };
  }

  async restartChild(id: string): Promise<void> {
    const child = this.#find(id);
    if (child.cell === undefined) await this.#start(child);
  }

  async terminateChild(id: string): Promise<void> {
    const child = this.#find(id);
    child.restarting = false;
    await this.#stopChildren([child]);
  }

  /** The process under an id now, for slots; asks nobody. */
  childCell(id: string): Cell | undefined {
    return this.#children.find((child) => child.id === id)?.cell;
  }

  receive(message: Message): unknown {
    if (message.kind !== Kind.childExit) return undefined;
    const { child: cell, reason } = message as ChildExitMessage;
    const child = this.#children.find((one) => one.cell === cell);
    return child === undefined ? undefined : this.#ended(child, reason);
  }

  stopping(reason: ExitReason): void {
    this.#starting?.stop(reason);
  }

  #find(id: string): Child {
    const child = this.#children.find((one) => one.id === id);
    if (child === undefined)
      throw invalidOption("id", id, this.#children.map((one) => one.id).join(", "));
    return child;
  }

  async #start(child: Child): Promise<void> {
    const cell = cellOf(this);
    if (cell.stopReason !== undefined) return;
    try {
      child.cell = await spawn(cell.system, child.plan, cell, (begun) => (this.#starting = begun));
    } finally {
      this.#starting = undefined;
    }
    // It may have ended between its start and this line: its end waits in the mailbox and finds it here.
  }

  async #stopChildren(children: readonly Child[]): Promise<void> {
    for (const child of children.toReversed()) {
      const { cell } = child;
      child.cell = undefined;
      if (cell !== undefined && cell.state !== State.dead)
        await stopCell(cell, "shutdown", undefined);
    }
  }

  #ended(child: Child, reason: ExitReason): unknown {
    child.cell = undefined;
    const { restart, significant } = child.spec;
    if (!isOrderly(reason))
      log("error", `${child.id} of ${this.self.pid} ended: ${describeReason(reason)}`, reason);
    if (restart === "permanent" || (restart === "transient" && !isOrderly(reason)))
      return this.#restart(child, reason);
    if (!significant) return undefined;
    const all = this.#children.every((one) => !one.spec.significant || one.cell === undefined);
    if (
      this.#autoShutdown === "any_significant" ||
      (this.#autoShutdown === "all_significant" && all)
    )
      this.self.stop("shutdown");
    return undefined;
  }

  async #restart(child: Child, reason: ExitReason): Promise<void> {
    const index = this.#children.indexOf(child);
    const first = this.#strategy === "one_for_all" ? 0 : index;
    const last = this.#strategy === "one_for_one" ? index + 1 : this.#children.length;
    const affected = this.#children.slice(first, last);
    for (const one of affected) one.restarting ||= one === child || one.cell !== undefined;
    await this.#stopChildren(affected);
    await this.#attempt(child, reason);
  }

  /** One attempt to bring up what is to be restarted. A failed one is another message, so that other ends are heard. */
  async #attempt(child: Child, reason: ExitReason): Promise<void> {
    const cell = cellOf(this);
    if (!child.restarting || cell.stopReason !== undefined) return;
    if (!this.#intensity.allows(cell.system.runtime.now())) return this.#giveUp(child, reason);
    if (restarted.active) restarted.emit({ supervisor: this.self.pid, child: child.id, reason });
    const together = this.#strategy === "one_for_one" ? [child] : this.#children;
    try {
      for (const one of together) {
        if (!one.restarting) continue;
        await this.#start(one);
        one.restarting = false;
      }
    } catch (error) {
      log("error", `a restart of ${child.id} of ${this.self.pid} failed`, error);
      cell.send(new ClosureMessage(() => this.#attempt(child, reason)));
    }
  }

  #giveUp(child: Child, reason: ExitReason): void {
    const { pid: supervisor } = this.self;
    const { maxRestarts: restarts } = this.#intensity;
    const seconds = this.#maxSeconds;
    const message = `${supervisor} gives up: more than ${restarts} restarts in ${seconds} s, last of ${child.id} (${describeReason(reason)})`;
    log("error", message, reason);
    const details = { supervisor, restarts, seconds };
    this.self.stop({ shutdown: new SluiceError("SLUICE_RESTART_INTENSITY", message, details) });
  }
}
