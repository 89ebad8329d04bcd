import {
  SluiceError,
  describeReason,
  invalidOption,
  isOrderly,
  type Addressable,
  type ExitReason,
} from "../support/internal.ts";
import { log, restarted } from "../telemetry/internal.ts";
import { Cell } from "./cell.ts";
import { childAt } from "./child-at.ts";
import type { ChildSpec } from "./child-spec.ts";
import type { Engine } from "./engine.ts";
import { ErrorReply } from "./error-reply.ts";
import { giveUp } from "./give-up.ts";
import { Later } from "./later.ts";
import { Kind, type ExitMessage, type Message } from "./message.ts";
import { PutOff, dismiss } from "./put-off.ts";
import type { ProcessRef } from "./ref.ts";
import { RestartIntensity } from "./restart-intensity.ts";
import { gone, startFailed } from "./spawn.ts";
import { stopChild } from "./stop-child.ts";
import { Lineage, Supervised } from "./supervised.ts";

/** A child that was started by a message. */
class DynamicChild extends Supervised {
  /** Who waits for its first start. */
  starting: Later<ProcessRef> | undefined = new Later();
  /** Its end is wanted. */
  leaving = false;
}

/** What a dynamic supervisor is made from, checked. */
export interface DynamicConfig {
  readonly maxChildren?: number;
  readonly maxRestarts?: number;
  readonly maxSeconds?: number;
}

function full({ pid }: Cell, limit: number): SluiceError<"SLUICE_CHILDREN_FULL"> {
  const message = `${pid} has ${limit} children: no room for one more`;
  return new SluiceError("SLUICE_CHILDREN_FULL", message, { pid, limit });
}

/**
 * The engine of a dynamic supervisor (O27): its children come and go by message, each by itself, so that nothing they do
 * holds its mailbox. Those that run are the children of its process; only those that wait for a restart are kept beside.
 */
export class DynamicSupervisorEngine implements Engine {
  readonly role = "supervisor";
  readonly cell: Cell;
  readonly #maxChildren: number;
  readonly #intensity: RestartIntensity;
  readonly #waiting: Set<DynamicChild> = new Set();
  #count = 0;

  constructor(
    cell: Cell,
    { maxChildren = Infinity, maxRestarts = 3, maxSeconds = 5 }: DynamicConfig,
  ) {
    this.cell = cell;
    this.#maxChildren = maxChildren;
    this.#intensity = new RestartIntensity(maxRestarts, maxSeconds);
  }

  /** Those that run or start, then those that wait. */
  *children(): IterableIterator<DynamicChild> {
    const children = this.cell.children;
    if (children !== undefined) for (const { note } of children) yield note as DynamicChild;
    yield* this.#waiting;
  }

  startChild(spec: ChildSpec<unknown>): Later<ProcessRef> {
    if (spec?.["~plan"] === undefined)
      throw new ErrorReply(
        invalidOption("spec", spec, "a spec made by child(…), supervisor(…) or the like"),
      );
    if (spec.significant)
      throw new ErrorReply(invalidOption("spec: significant", true, "false: it never ends this"));
    if (this.#count >= this.#maxChildren) throw new ErrorReply(full(this.cell, this.#maxChildren));
    const child = new DynamicChild(spec["~plan"].label, spec, new Lineage());
    const started = child.starting!;
    this.#count++;
    this.#begin(child);
    return started;
  }

  terminateChild(target: Addressable | string): Later<void> {
    const child = this.#find(target);
    const ended = new Later<void>();
    if (child === undefined) ended.settle(undefined, undefined);
    else void this.#stop(child).then(() => ended.settle(undefined, undefined));
    return ended;
  }

  /** Nobody, when it has ended and is not to come again. */
  #find(target: Addressable | string): DynamicChild | undefined {
    if (typeof target === "string") {
      for (const child of this.children()) if (child.cell?.pid === target) return child;
      return undefined;
    }
    const cell = childAt(this.cell, target);
    if (cell === undefined) return undefined;
    // A ref leads to one incarnation; what is known of it is of the child.
    const child = cell.note as DynamicChild;
    return child.cell !== undefined || this.#waiting.has(child) ? child : undefined;
  }

  receive(message: Message): void {
    if (message.kind !== Kind.childExit) return;
    const { from: cell, content: reason } = message as ExitMessage;
    const child = (cell as Cell).note as DynamicChild;
    if (child.cell === cell) this.#ended(child, reason);
  }

  stopping(): void {
    for (const child of this.#waiting) dismiss(child);
  }

  exited(): void {
    this.stopping();
  }

  /** All at once: no child knows of another (O27). */
  async stopAll(): Promise<void> {
    this.#waiting.clear();
    await Promise.all([...this.children()].map((child) => this.#stop(child)));
  }

  async #stop(child: DynamicChild): Promise<void> {
    const { cell } = child;
    const again = child.leaving;
    child.leaving = true;
    dismiss(child);
    if (cell === undefined) this.#forget(child);
    else if (again) await gone(cell);
    else await stopChild(this.cell, child, cell);
  }

  #begin(child: DynamicChild): void {
    const { cell: supervisor } = this;
    if (supervisor.closed) return;
    this.#waiting.delete(child);
    dismiss(child);
    const cell = new Cell(supervisor.system, child.plan, supervisor);
    try {
      cell.begin();
    } catch (error) {
      // Its name is taken.
      return this.#failed(child, error);
    }
    child.begun(cell);
    child.cell = cell;
    cell.onStart = (failure) => {
      if (failure !== undefined) return this.#failed(child, startFailed(child.plan, failure));
      child.up(cell);
      child.starting?.settle(undefined, cell.ref);
      child.starting = undefined;
    };
  }

  /** A first start that fails is told to who asked for it; any other is tried again (O23). */
  #failed(child: DynamicChild, error: unknown): void {
    child.cell = undefined;
    const { starting } = child;
    if (starting !== undefined || child.leaving) {
      this.#forget(child);
      return starting?.settle(error, undefined);
    }
    log("error", `a restart of ${child.id} of ${this.cell.pid} failed`, error);
    this.#putOff(child, () => this.#restart(child, { crash: error })).now();
  }

  #ended(child: DynamicChild, reason: ExitReason): void {
    child.cell = undefined;
    child.ended(this.cell);
    if (child.leaving) return this.#forget(child);
    if (!isOrderly(reason))
      log("error", `${child.id} of ${this.cell.pid} ended: ${describeReason(reason)}`, reason);
    const { restart } = child.spec;
    if (restart === "permanent" || (restart === "transient" && !isOrderly(reason)))
      this.#restart(child, reason);
    else this.#forget(child);
  }

  #restart(child: DynamicChild, reason: ExitReason): void {
    const { cell } = this;
    const { runtime } = cell.system;
    if (!this.#intensity.allows(runtime.now()))
      return giveUp(cell, this.#intensity, child.id, reason);
    if (restarted.active) restarted.emit({ supervisor: cell.pid, child: child.id, reason });
    const delayMs = child.waits.next(() => runtime.random());
    if (delayMs > 0) this.#putOff(child, () => this.#again(child)).after(delayMs);
    else this.#again(child);
  }

  /** Unless the callback of a killed incarnation still runs that must be the only one. */
  #again(child: DynamicChild): void {
    const { zombie } = child.lineage;
    if (zombie === undefined) return this.#begin(child);
    const { pid } = this.cell;
    log("warning", `${pid} waits: a callback of ${zombie.pid}, which was killed, still runs`);
    zombie.extras.onLaid = this.#putOff(child, () => this.#again(child)).now;
  }

  #putOff(child: DynamicChild, go: () => void): PutOff {
    this.#waiting.add(child);
    return new PutOff(this.cell, [child], go);
  }

  #forget(child: DynamicChild): void {
    this.#waiting.delete(child);
    this.#count--;
  }
}
