import type { Cell } from "./cell.ts";
import type { ChildSpec } from "./child-spec.ts";
import { Waits } from "./backoff.ts";
import { labelled, type Plan } from "./plan.ts";
import type { PutOff } from "./put-off.ts";
import { State } from "./state.ts";

/** What a supervisor knows of one child, at the moment it is asked. */
export interface ChildInfo<Id = string> {
  /** Its id; below a dynamic supervisor its label, which others may have too. */
  readonly id: Id;
  /** The incarnation that runs. */
  readonly pid: string | undefined;
  /** `"restarting"` waits: for its delay, for another try, or for the callback of a killed incarnation to end. */
  readonly state: "starting" | "running" | "restarting" | "stopped";
  /** Starts after its first, failed ones included. */
  readonly restarts: number;
  /** Ms until a restart that is delayed begins. */
  readonly restartInMs: number | undefined;
  /** What it is. */
  readonly type: "worker" | "supervisor";
  /** User messages that wait for it. */
  readonly mailbox: number;
}

/** The children of a supervisor in numbers. */
export interface ChildCounts {
  /** All, those included that have ended and are kept. */
  readonly specs: number;
  /** Those that run. */
  readonly active: number;
  /** Supervisors among all. */
  readonly supervisors: number;
  /** Workers among all. */
  readonly workers: number;
  /** Starts after the first, of all children since the supervisor's own. */
  readonly restarts: number;
}

/** What must be known of a child beyond the life of its supervisor, by id for what stands below it. */
export class Lineage {
  /** An incarnation whose callback may still run, where the next one must wait for it. */
  last: Cell | undefined = undefined;
  #below: Map<string, Lineage> | undefined = undefined;

  /** The killed incarnation that keeps the next one waiting. */
  get zombie(): Cell | undefined {
    return this.last?.zombie === true ? this.last : undefined;
  }

  of(id: string): Lineage {
    const below = (this.#below ??= new Map<string, Lineage>());
    let found = below.get(id);
    if (found === undefined) below.set(id, (found = new Lineage()));
    return found;
  }
}

/** One child: how to start it, and which incarnation runs. */
export class Supervised {
  readonly id: string;
  readonly spec: ChildSpec<unknown>;
  readonly plan: Plan;
  readonly lineage: Lineage;
  readonly waits: Waits;
  cell: Cell | undefined = undefined;
  /** The incarnation that was up last. */
  last: Cell | undefined = undefined;
  /** Its start has to wait: it comes. */
  putOff: PutOff | undefined = undefined;
  starts = 0;
  upMs = 0;

  constructor(id: string, spec: ChildSpec<unknown>, lineage: Lineage) {
    this.id = id;
    this.spec = spec;
    this.plan = labelled(spec["~plan"], id);
    this.lineage = lineage;
    this.waits = new Waits(spec.restartDelayMs);
  }

  /** A start begins: nothing of it has run. */
  begun(cell: Cell): void {
    this.starts++;
    cell.note = this;
    if (this.plan.exclusive) this.lineage.last = cell;
  }

  /** It is up. */
  up(cell: Cell): void {
    this.cell = this.last = cell;
    this.upMs = cell.system.runtime.now();
  }

  /** It has ended. */
  ended(cell: Cell): void {
    this.cell = undefined;
    this.waits.wasUp(cell.system.runtime.now() - this.upMs);
  }

  get restarts(): number {
    return Math.max(0, this.starts - 1);
  }

  get state(): ChildInfo["state"] {
    if (this.cell !== undefined) return this.cell.state === State.starting ? "starting" : "running";
    return this.putOff === undefined ? "stopped" : "restarting";
  }

  /** For people and dashboards. */
  get info(): ChildInfo {
    const { id, cell, restarts, putOff, spec } = this;
    return {
      id,
      pid: cell?.pid,
      state: this.state,
      restarts,
      restartInMs: putOff?.restInMs,
      type: spec.type,
      mailbox: cell?.waiting ?? 0,
    };
  }
}

/** The lineage of a supervisor that one of ours started; a new one at the top. */
export function lineageOf({ note }: Cell): Lineage {
  return note instanceof Supervised ? note.lineage : new Lineage();
}

/** How often the process's supervisor has started it again. */
export function restartsOf({ note }: Cell): number {
  return note instanceof Supervised ? note.restarts : 0;
}

/** The children in numbers. */
export function countsOf(children: Iterable<ChildInfo<unknown>>): ChildCounts {
  let [specs, active, supervisors, restarts] = [0, 0, 0, 0];
  for (const child of children) {
    specs++;
    if (child.state === "running") active++;
    if (child.type === "supervisor") supervisors++;
    restarts += child.restarts;
  }
  return { specs, active, supervisors, workers: specs - supervisors, restarts };
}
