import type { ExitReason } from "../support/internal.ts";
import { closureMessage, State, backlogOf, gone, type Cell } from "../process/internal.ts";
import { EmittingEngine } from "./emitting-engine.ts";
import type { Inlet } from "./inlet.ts";
import type { Consumption, Outlet } from "./outlet.ts";
import { endedEarly, type Follower, type Loss } from "./trail.ts";

/** Consumers, and by which subscriptions the events in question have come to them. */
type Level = ReadonlyMap<Cell, readonly number[]>;

/**
 * Follows the events of one source. Losses are heard of at once, by all that emit downstream; the end is looked for level
 * by level: when the source has ended, its consumers are waited for, then theirs.
 */
export class Completion implements Follower {
  readonly #source: Cell;
  readonly #outlet: Outlet;
  readonly #followed: Set<EmittingEngine> = new Set();
  readonly #failed = Promise.withResolvers<never>();

  constructor(source: Cell, engine: EmittingEngine) {
    this.#source = source;
    this.#outlet = engine.outlet;
    this.#follow(engine, 0);
  }

  async settled(): Promise<void> {
    const through = this.#through();
    // Whichever comes second is not news.
    for (const promise of [through, this.#failed.promise]) promise.catch(() => {});
    try {
      await Promise.race([through, this.#failed.promise]);
    } finally {
      for (const { trail } of this.#followed) trail.followers.delete(this);
    }
  }

  #follow(engine: EmittingEngine, since: number): void {
    if (this.#followed.has(engine)) return;
    this.#followed.add(engine);
    const { trail, outlet } = engine;
    trail.followers.add(this);
    if (trail.loss !== undefined && trail.loss.id > since) this.lost(trail.loss);
    for (const consumption of outlet.consumptions.values()) this.subscribed(consumption);
  }

  subscribed({ consumer: { engine }, tag }: Consumption): void {
    if (engine instanceof EmittingEngine) this.#follow(engine, tag);
  }

  lost({ error }: Loss): void {
    this.#failed.reject(error);
  }

  async #through(): Promise<void> {
    const source = this.#source;
    const reason = await gone(source);
    if (reason !== "normal" || this.#outlet.dropped > 0 || leaves(source, []))
      throw endedEarly(source, reason);
    const seen = new Set<Cell>();
    let level = levelAfter([source]);
    // A circle is gone round as often as it may take.
    for (let depth = 0; level.size > 0 && depth <= seen.size; depth++) {
      await Promise.all([...level].map(([cell, tags]) => handled(cell, tags)));
      for (const cell of level.keys()) seen.add(cell);
      level = levelAfter(level.keys());
    }
  }
}

/** The consumers of some stages; of ended ones, those that they had at their end. */
function levelAfter(stages: Iterable<Cell>): Level {
  const level = new Map<Cell, number[]>();
  for (const { engine } of stages) {
    if (!(engine instanceof EmittingEngine)) continue;
    for (const { consumer, tag } of engine.outlet.consumptions.values()) {
      const tags = level.get(consumer);
      if (tags === undefined) level.set(consumer, [tag]);
      else tags.push(tag);
    }
  }
  return level;
}

/** Settles when a stage has handled what has come to it, and what that became is out. */
function handled(cell: Cell, tags: readonly number[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const dead = (reason: ExitReason): void => {
      told.delete(dead);
      if (leaves(cell, tags)) reject(endedEarly(cell, reason));
      else resolve();
    };
    const told = (cell.extras.onDead ??= new Set());
    if (cell.state === State.dead) return dead(cell.doom!);
    told.add(dead);
    cell.send(
      closureMessage(() => {
        afterwards(cell, () => {
          told.delete(dead);
          resolve();
        });
      }),
    );
  });
}

function afterwards(cell: Cell, run: () => void): void {
  const { engine } = cell;
  const kept = inletOf(cell)?.unpaused();
  if (kept !== undefined)
    void kept.then(() => cell.send(closureMessage(() => afterwards(cell, run))));
  else if (engine?.afterBuffered !== undefined) engine.afterBuffered(run);
  else run();
}

/** A stage has ended, and has not handled all that came by these subscriptions. */
function leaves(cell: Cell, tags: readonly number[]): boolean {
  // The end of a subscription is heard of behind its events.
  if (tags.some((tag) => inletOf(cell)?.intakes.has(tag))) return true;
  const { waiting = 0, queued = 0, buffered = 0, running = 0 } = backlogOf(cell);
  return waiting + queued + buffered + running > 0;
}

function inletOf({ engine }: Cell): Inlet | undefined {
  return (engine as { readonly inlet?: Inlet } | undefined)?.inlet;
}
