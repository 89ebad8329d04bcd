import { SluiceError, TokenBucket, type Addressable } from "../support/internal.ts";
import type { Slot, System } from "../runtime/internal.ts";
import { Process } from "../process/index.ts";
import {
  Cell,
  ErrorReply,
  State,
  cellOf,
  ownOf,
  type Engine,
  type Figures,
  type Own,
  type Upstream,
} from "../process/internal.ts";
import { Announcer, type Push } from "./announcer.ts";
import { checkKey, checkMeta, overLimit, type CheckedMeta, type Place } from "./check-entry.ts";
import { metaOf, type Metas } from "./client-shapes.ts";
import type { Settings } from "./options.ts";
import type { Found } from "./fetched.ts";
import { Owners } from "./owners.ts";
import { PresenceState } from "./presence-state.ts";
import { ReplicaLink } from "./replica-link.ts";
import type { Changes, Row } from "./row.ts";
import type { Tracked } from "./tracked.ts";
import { View } from "./view.ts";

/** The replica that each presence of a system had last. */
const incarnations: Slot<Map<string, string>> = {
  key: "presence.incarnations",
  create: () => new Map(),
};

/** A name that no other incarnation has, on any node: 96 bits of chance. */
function replicaId(system: System): string {
  const part = (): string =>
    Math.floor(system.runtime.random() * 2 ** 48)
      .toString(36)
      .padStart(10, "0");
  return part() + part();
}

/** The tracker of one presence on this node: all that is tracked here, and what other nodes have told. */
export class TrackerProcess extends Process implements Engine {
  readonly role = "presence";
  readonly #key: string;
  readonly #settings: Settings;
  readonly #own: Own;
  readonly #system: System;
  readonly #state: PresenceState;
  readonly #view: View = new View();
  readonly #owners: Owners;
  readonly #announcer: Announcer;
  readonly #link: ReplicaLink;

  constructor(key: string, settings: Settings) {
    super();
    const cell = cellOf(this);
    cell.engine = this;
    this.#key = key;
    this.#settings = settings;
    this.#own = ownOf(cell);
    this.#system = cell.system;
    this.#state = new PresenceState(replicaId(cell.system), settings.maxRemovals);
    this.#owners = new Owners((owner) => this.#own.link(owner.ref));
    this.#announcer = new Announcer(key, this.#own, settings, this.#view);
    const changed = (changes: Changes): void => this.#changed(changes);
    this.#link = new ReplicaLink(key, this.#own, this.#state, settings, changed);
  }

  protected override init(): void {
    this.#own.trapExits((from) => {
      const owner = (from as Addressable)["~resolve"]() as Cell;
      this.#removeAll(this.#owners.take(owner));
    });
    const last = this.#system.get(incarnations);
    this.#link.open(last.get(this.#key));
    last.set(this.#key, this.#state.self);
  }

  protected override terminate(): void {
    if (!this.#settings.byeOnStop) return;
    this.#link.bye();
    this.#system.get(incarnations).delete(this.#key);
  }

  receive(): void {}

  inspect(): { readonly figures: Figures; readonly upstream: readonly Upstream[] } {
    const figures = {
      presences: this.#view.rows,
      topics: this.#view.topics.size,
      replicas: this.#link.replicas.count,
      asking: this.#link.exchange.open,
      announcing: this.#announcer.waiting,
    };
    return { figures, upstream: [] };
  }

  track(owner: Cell, topic: string, key: string, meta: unknown): string {
    const place = this.#place(topic, key);
    return this.#replying(() => {
      checkKey(place, this.#settings.limits, this.#settings.prototypeNames);
      if (this.#owners.get(owner, topic, key) !== undefined) throw alreadyTracked(place, owner);
      const { meta: kept, size } = checkMeta(place, meta, this.#settings.limits);
      this.#checkRoom(place, owner);
      const row = this.#state.add(topic, key, kept, size);
      this.#owners.add(owner, row);
      this.#changed({ joins: [row], leaves: [] });
      // It has ended while this waited: the tie tells of it.
      return row.ref;
    });
  }

  update(owner: Cell, topic: string, key: string, change: unknown): string {
    const place = this.#place(topic, key);
    return this.#replying(() => {
      const tracked = this.#owners.get(owner, topic, key);
      if (tracked === undefined) throw notTracked(place, owner);
      const meta = typeof change === "function" ? callWith(change, tracked.newest) : change;
      this.#updateWhenDue(tracked, checkMeta(place, meta, this.#settings.limits));
      return tracked.row.ref;
    });
  }

  /** At once, or as soon as the rate allows: then what came last counts. */
  #updateWhenDue(tracked: Tracked, meta: CheckedMeta): void {
    const now = this.#system.runtime.now();
    const { updatesPerSecond } = this.#settings.limits;
    const rate = (tracked.rate ??= new TokenBucket(updatesPerSecond, updatesPerSecond, now));
    if (tracked.held === undefined && rate.take(now)) return this.#replace(tracked, meta);
    tracked.hold(meta, () =>
      this.#own.after(rate.waitMs(now), () => {
        const newest = tracked.release();
        if (newest !== undefined) this.#updateWhenDue(tracked, newest);
      }),
    );
  }

  #replace(tracked: Tracked, { meta, size }: CheckedMeta): void {
    const before = tracked.row;
    const { topic, key } = before;
    tracked.row = this.#state.add(topic, key, meta, size, before);
    this.#changed({ joins: [tracked.row], leaves: [before] });
  }

  untrack(owner: Cell, topic: string, key: string): void {
    const row = this.#owners.get(owner, topic, key)?.row;
    if (row === undefined) return;
    this.#owners.delete(owner, row);
    this.#removeAll([row]);
  }

  untrackAll(owner: Cell): void {
    this.#removeAll(this.#owners.take(owner));
  }

  list(topic: string): Found {
    const entries = this.#view.of(topic)?.entries() ?? [];
    return this.#found(new Map([...entries].map(([key, rows]) => [key, rows.map(metaOf)])));
  }

  getByKey(topic: string, key: string): Found {
    const rows = this.#view.of(topic)?.of(key) ?? [];
    return this.#found(new Map(rows.length === 0 ? [] : [[key, rows.map(metaOf)]]));
  }

  count(topic: string): number {
    return this.#view.of(topic)?.count ?? 0;
  }

  page(topic: string, after: string | undefined, limit: number): Found {
    const visible = this.#view.of(topic);
    // One more tells whether there is a next page.
    const keys = visible?.page(after, limit + 1) ?? [];
    const metas = new Map(keys.slice(0, limit).map((key) => [key, visible!.of(key).map(metaOf)]));
    return { ...this.#found(metas), next: keys.length > limit ? keys[limit - 1] : undefined };
  }

  pushState(owner: Cell, topic: string, push: Push): void {
    if (owner.state === State.running) this.#announcer.state(topic, owner, push);
  }

  #found(metas: Metas): Found {
    const { fetch, fetchTimeoutMs } = this.#settings;
    return { metas, fetch, fetchTimeoutMs, next: undefined };
  }

  #place(topic: string, key: string): Place {
    return { presence: this.#key, topic, key };
  }

  #checkRoom(place: Place, owner: Cell): void {
    const { maxPerProcess, maxMetasPerKey, maxKeysPerTopic } = this.#settings.limits;
    const visible = this.#view.of(place.topic);
    const metas = visible?.of(place.key).length ?? 0;
    if (this.#owners.count(owner) >= maxPerProcess)
      throw overLimit(place, "maxPerProcess", maxPerProcess);
    if (metas >= maxMetasPerKey) throw overLimit(place, "maxMetasPerKey", maxMetasPerKey);
    if (metas === 0 && (visible?.count ?? 0) >= maxKeysPerTopic)
      throw overLimit(place, "maxKeysPerTopic", maxKeysPerTopic);
  }

  #removeAll(rows: readonly Row[]): void {
    if (rows.length === 0) return;
    for (const row of rows) this.#state.remove(row);
    this.#changed({ joins: [], leaves: rows });
  }

  #changed(changes: Changes): void {
    if (changes.joins.length + changes.leaves.length === 0) return;
    this.#view.apply(changes);
    this.#announcer.changed(changes);
  }

  /** What the caller got wrong is its reply; anything else is a fault of ours, and ends the process. */
  #replying<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw error instanceof SluiceError ? new ErrorReply(error) : error;
    }
  }
}

/** A mistake in it is the caller's, and no refusal. */
function callWith(change: Function, meta: object): unknown {
  try {
    // A copy: what is kept is nobody else's.
    return (change as (meta: object) => unknown)(structuredClone(meta));
  } catch (error) {
    throw new ErrorReply(error);
  }
}

function alreadyTracked(place: Place, { pid }: Cell): SluiceError<"SLUICE_ALREADY_TRACKED"> {
  const { presence, topic, key } = place;
  const message = `${presence}: ${pid} has tracked ${JSON.stringify(key)} in ${JSON.stringify(topic)} already`;
  return new SluiceError("SLUICE_ALREADY_TRACKED", message, { presence, topic, key, pid });
}

function notTracked(place: Place, { pid }: Cell): SluiceError<"SLUICE_NOT_TRACKED"> {
  const { presence, topic, key } = place;
  const message = `${presence}: ${pid} has not tracked ${JSON.stringify(key)} in ${JSON.stringify(topic)}`;
  return new SluiceError("SLUICE_NOT_TRACKED", message, { presence, topic, key, pid });
}
