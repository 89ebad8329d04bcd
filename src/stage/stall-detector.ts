import { invalidOption } from "../support/internal.ts";
import { log, recovered, stalled } from "../telemetry/internal.ts";
import {
  backlogOf,
  cellOf,
  checkKnown,
  describeBacklog,
  type Backlog,
  type Cell,
} from "../process/internal.ts";
import { Process, child, type ChildSpec } from "../process/index.ts";
import { EmittingEngine } from "./emitting-engine.ts";
import type { Inlet } from "./inlet.ts";

/** When a stage counts as stalled. */
export interface StallDetectorOptions {
  /** Ms without any movement; more than the longest single piece of work may take. Default 10,000. */
  readonly stallAfterMs?: number;
}

/** One stage that stands still. */
export interface Stall {
  /** Which process. */
  readonly pid: string;
  /** Its id below its supervisor, or its name. */
  readonly label: string;
  /** For how long, as far as it was looked at. */
  readonly stalledMs: number;
  /** How many events are asked of it. */
  readonly asked: number;
  /** What waits where in it. */
  readonly backlog: Backlog;
}

/** Looks until a stall is one: a thread that is held up by something else counts as one look. */
const looks = 4;

/** What was seen of one process. */
interface Seen {
  readonly progress: number;
  readonly sinceMs: number;
  count: number;
  isTold: boolean;
}

/** Looks at the tree in which it stands; its messages. */
export class StallDetector extends Process {
  readonly #stallAfterMs: number;
  #seen: Map<Cell, Seen> = new Map();
  #stalls: readonly Stall[] = [];

  constructor(stallAfterMs: number) {
    super();
    this.#stallAfterMs = stallAfterMs;
  }

  protected override init(): void {
    this.self.every(this.#stallAfterMs / looks, () => this.#look());
  }

  /** Who stands still now. */
  stalls(): readonly Stall[] {
    return this.#stalls;
  }

  #look(): void {
    const { parent, system } = cellOf(this);
    const nowMs = system.runtime.now();
    const before = this.#seen;
    this.#seen = new Map();
    const stalls: Stall[] = [];
    for (const cell of workers(parent)) {
      const last = before.get(cell);
      const backlog = stuck(cell);
      const progress = progressOf(cell);
      const isSame = backlog !== undefined && last?.progress === progress;
      if (last?.isTold === true && !isSame) recover(cell, nowMs - last.sinceMs);
      if (backlog === undefined) continue;
      const seen = isSame ? last : { progress, sinceMs: nowMs, count: 0, isTold: false };
      this.#seen.set(cell, seen);
      if (seen.count++ < looks) continue;
      const { pid, plan } = cell;
      const stalledMs = nowMs - seen.sinceMs;
      const stall = { pid, label: plan.label, stalledMs, asked: askedOf(cell), backlog };
      stalls.push(stall);
      if (!seen.isTold) tell(stall);
      seen.isTold = true;
    }
    this.#stalls = stalls;
  }
}

/** All below a supervisor that may have work; a ConsumerSupervisor stands for its children. */
function* workers(cell: Cell | undefined): IterableIterator<Cell> {
  for (const child of cell?.children ?? []) {
    const supervises = child.engine?.role === "supervisor";
    const perEvent = supervises && child.engine?.inspect !== undefined;
    if (child.plan.work === undefined && (perEvent || !supervises)) yield child;
    if (!perEvent) yield* workers(child);
  }
}

/** What it was told to hold is not asked of it. */
function askedOf({ engine }: Cell): number {
  const isOpen = engine instanceof EmittingEngine && engine.outlet.held === undefined;
  return isOpen ? engine.outlet.dispatcher.demand : 0;
}

/** What a process has that it could move, if anything: work in hand, or events that are asked for. */
function stuck(cell: Cell): Backlog | undefined {
  const { engine } = cell;
  const backlog = backlogOf(cell);
  const { waiting = 0, buffered = 0, offers = 0, running = 0 } = backlog;
  if (engine?.inspect === undefined)
    return running > 0 && cell.head !== undefined ? backlog : undefined;
  if (running > 0 && (engine.role !== "producer" || cell.head !== undefined)) return backlog;
  // What a pause keeps is not to be moved, nor what the dispatcher keeps for a consumer that has not asked for it.
  const { inlet } = engine as { readonly inlet?: Inlet };
  const held = waiting - (inlet?.kept ?? 0) + buffered + offers;
  return held > 0 && askedOf(cell) > 0 ? backlog : undefined;
}

/** A number that changes with each piece of work done. */
function progressOf({ engine, handled, busy }: Cell): number {
  const moved = engine?.moved?.();
  // With a callback in hand no other message is handled.
  return moved === undefined || busy ? (moved ?? 0) + handled : moved;
}

function tell({ pid: stage, label, stalledMs, asked, backlog }: Stall): void {
  if (stalled.active) stalled.emit({ stage, label, stalledMs, asked, backlog });
  const demand = asked > 0 ? `; ${asked} are asked of it` : "";
  log(
    "warning",
    `${stage} has stood still for ${Math.round(stalledMs)} ms: ${describeBacklog(backlog)}${demand}`,
  );
}

function recover({ pid: stage, plan: { label } }: Cell, stalledMs: number): void {
  if (recovered.active) recovered.emit({ stage, label, stalledMs });
  log("info", `${stage} moves again, after ${Math.round(stalledMs)} ms`);
}

/**
 * A child that watches the tree in which it stands, its supervisor and all below, and says once per stall who stands
 * still and what waits where: as `sluice.stage.stalled` and in the log; when it moves again, as `sluice.stage.recovered`.
 * A stage stalls when for `stallAfterMs` nothing has moved in it though it has something in hand (a callback, work in
 * flight, children), or holds events that are asked of it. It is looked at four times in that time, and nothing is added
 * to the way of the events.
 *
 * A source that is quiet is no stall, nor is a fetch that is open or a step of `from`: nobody can tell a quiet source from a
 * dead one. Nor is a stage that waits for demand, is paused, or has no consumer: the one that it waits for is told of.
 *
 * ```ts
 * import { child, consumer, from, name, sleep, stallDetector, startSupervisor, type Producer } from "sluice";
 *
 * const numbers = name<Producer<number>>("numbers");
 * const slow = consumer<number>(() => sleep(100));
 * await using app = await startSupervisor({
 *   strategy: "rest_for_one",
 *   children: {
 *     stalls: stallDetector({ stallAfterMs: 20 }),
 *     numbers: child(from(() => [1, 2, 3]), { name: numbers, restart: "transient" }),
 *     slow: child(slow, { subscribeTo: [{ to: numbers, cancel: "temporary" }] }),
 *   },
 * });
 * await sleep(50);
 * console.info(await app.children.stalls.call.stalls());
 * ```
 * @throws SLUICE_INVALID_OPTION
 */
export function stallDetector(options: StallDetectorOptions = {}): ChildSpec<StallDetector> {
  checkKnown("stallDetector", options, new Set(["stallAfterMs"]));
  const { stallAfterMs = 10_000 } = options;
  if (!(typeof stallAfterMs === "number" && stallAfterMs > 0 && stallAfterMs < Infinity))
    throw invalidOption("stallAfterMs", stallAfterMs, "milliseconds, more than 0");
  return child(StallDetector, { args: [stallAfterMs] });
}
