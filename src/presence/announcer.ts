import type { System } from "../runtime/internal.ts";
import type { Context } from "../process/index.ts";
import type { Own } from "../process/internal.ts";
import { log } from "../telemetry/internal.ts";
import {
  metasOf,
  pieces,
  presences,
  type ByKey,
  type Diff,
  type Extras,
  type Metas,
} from "./client-shapes.ts";
import type { PresenceChange, Settings } from "./options.ts";
import { PendingDiffs } from "./pending-diffs.ts";
import type { Changes } from "./row.ts";
import type { View } from "./view.ts";

/** Tells one client. */
export type Push = (event: string, payload: object) => void;

interface DiffJob {
  readonly kind: "diff";
  readonly topic: string;
  readonly diff: Diff;
  readonly current: Metas;
}
interface StateJob {
  readonly kind: "state";
  readonly topic: string;
  readonly rows: ByKey;
  /** By client, who is told once. */
  readonly pushes: Map<object, Push>;
}
type Job = DiffJob | StateJob;

/**
 * Tells clients and `handleMetas` what has changed: collected for some ms, in order, one at a time when `fetch` or
 * `handleMetas` take their time. What happens meanwhile is collected too, so that nothing piles up: at most one diff
 * waits for each topic, and one state for each client.
 */
export class Announcer {
  readonly #key: string;
  readonly #own: Own;
  readonly #system: System;
  readonly #settings: Settings;
  readonly #view: View;
  readonly #pending = new PendingDiffs();
  readonly #jobs: Job[] = [];
  /** The last job of a topic that has not begun. */
  readonly #waiting: Map<string, Job> = new Map();
  /** Topics with a diff that has not begun. */
  readonly #diffs: Set<string> = new Set();
  #isArmed = false;
  /** A job has begun that is not done. */
  #busy = false;
  /** It is looking for the next job: one that is done at once is not the beginning of another search. */
  #isRunning = false;

  constructor(key: string, own: Own, settings: Settings, view: View) {
    this.#key = key;
    this.#own = own;
    this.#system = own.cell.system;
    this.#settings = settings;
    this.#view = view;
  }

  /** Jobs that wait. */
  get waiting(): number {
    return this.#jobs.length;
  }

  changed(changes: Changes): void {
    const { to, handleMetas } = this.#settings;
    if (to === undefined && handleMetas === undefined) return;
    this.#pending.add(changes);
    this.#arm();
  }

  /** Tells one client who is there; the diffs that follow say what has changed since. */
  state(topic: string, client: object, push: Push): void {
    const mode = this.#modeOf(topic);
    if (mode === "count")
      return this.#tell("presence_count", () => push("presence_count", this.#count(topic)));
    const last = this.#waiting.get(topic);
    if (last?.kind === "state") {
      last.pushes.set(client, push);
      return;
    }
    const visible = this.#view.of(topic);
    const rows =
      mode === "none" ? new Map(visible?.entries() ?? []) : this.#pending.told(topic, visible);
    this.#enqueue({ kind: "state", topic, rows, pushes: new Map([[client, push]]) });
  }

  #arm(): void {
    if (this.#isArmed) return;
    this.#isArmed = true;
    this.#own.after(this.#settings.diffMs, () => this.#flush());
  }

  #flush(): void {
    this.#isArmed = false;
    for (const topic of [...this.#pending.topics]) {
      // The last one has not gone out: they go together, later.
      if (this.#diffs.has(topic)) continue;
      const diff = this.#pending.take(topic);
      if (diff !== undefined)
        this.#enqueue({ kind: "diff", topic, diff, current: this.#current(topic, diff) });
    }
  }

  #current(topic: string, { joins, leaves }: Diff): Metas {
    if (this.#settings.handleMetas === undefined) return new Map();
    const visible = this.#view.of(topic);
    const keys = new Set([...joins.keys(), ...leaves.keys()]);
    return metasOf(new Map([...keys].map((key) => [key, visible?.of(key) ?? []])));
  }

  #enqueue(job: Job): void {
    this.#jobs.push(job);
    this.#waiting.set(job.topic, job);
    if (job.kind === "diff") this.#diffs.add(job.topic);
    this.#run();
  }

  /** Works on until something has to be waited for. */
  #run(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    for (let job; !this.#busy && (job = this.#jobs.shift()) !== undefined;) this.#start(job);
    this.#isRunning = false;
  }

  #start(job: Job): void {
    if (this.#waiting.get(job.topic) === job) this.#waiting.delete(job.topic);
    this.#busy = true;
    if (job.kind === "diff") {
      this.#diffs.delete(job.topic);
      if (!this.#pending.isEmpty) this.#arm();
      this.#begin(job);
    } else
      this.#fetched(job.topic, [job.rows], ([extras]) => {
        this.#tellState(job, extras);
        this.#done();
      });
  }

  #begin(job: DiffJob): void {
    const { topic, diff } = job;
    const { to, handleMetas } = this.#settings;
    // Who joins later is told by a state.
    const isHeard = to !== undefined && to["~clients"](this.#system, topic) > 0;
    const tell = (joined?: Extras, left?: Extras): void => {
      if (isHeard) this.#tellDiff(job, joined, left);
      if (handleMetas === undefined) return this.#done();
      const { joins, leaves } = diff;
      const change = {
        topic,
        joins: metasOf(joins),
        leaves: metasOf(leaves),
        current: job.current,
      };
      this.#beside(
        "handleMetas",
        () => handleMetas(change as PresenceChange<object>),
        () => this.#done(),
      );
    };
    if (!isHeard || this.#modeOf(topic) !== "diffs") tell();
    else this.#fetched(topic, [diff.joins, diff.leaves], ([joined, left]) => tell(joined, left));
  }

  #done(): void {
    this.#busy = false;
    this.#run();
  }

  #tellDiff({ topic, diff }: DiffJob, joined: Extras | undefined, left: Extras | undefined): void {
    const mode = this.#modeOf(topic);
    if (mode === "none") return;
    const announce = (event: string, payload: object): void =>
      this.#settings.to!["~announce"](this.#system, topic, event, payload);
    if (mode === "count")
      return this.#tell("presence_count", () => announce("presence_count", this.#count(topic)));
    for (const { joins, leaves } of pieces(diff, this.#settings.maxPieceBytes))
      this.#tell("presence_diff", (more) =>
        announce("presence_diff", {
          joins: presences(joins, more ? joined : undefined),
          leaves: presences(leaves, more ? left : undefined),
        }),
      );
  }

  /** What does not fit into one message follows as joins: a client puts both together. */
  #tellState({ rows, pushes }: StateJob, extras: Extras | undefined): void {
    const [first, ...rest] = pieces(
      { joins: rows, leaves: new Map() },
      this.#settings.maxPieceBytes,
    );
    for (const push of pushes.values())
      this.#tell("presence_state", (more) => {
        const known = more ? extras : undefined;
        push("presence_state", presences(first?.joins ?? new Map(), known));
        for (const { joins } of rest)
          push("presence_diff", { joins: presences(joins, known), leaves: {} });
      });
  }

  #count(topic: string): { readonly count: number } {
    return { count: this.#view.of(topic)?.count ?? 0 };
  }

  #modeOf(topic: string): "diffs" | "count" | "none" {
    try {
      return this.#settings.announce(topic);
    } catch (error) {
      this.#failed("announce", error);
      return "diffs";
    }
  }

  /** What `fetch` gave may be no JSON: then it goes without. */
  #tell(event: string, tell: (withExtras: boolean) => void): void {
    try {
      tell(true);
    } catch (error) {
      this.#failed(event, error);
      try {
        tell(false);
      } catch {
        // Said once.
      }
    }
  }

  /** Goes on with what `fetch` says of each group, or with nothing. */
  #fetched(
    topic: string,
    groups: readonly ByKey[],
    next: (extras: readonly (Extras | undefined)[]) => void,
  ): void {
    const { fetch } = this.#settings;
    if (fetch === undefined) return next([]);
    const one = async (rows: ByKey, context: Context): Promise<Extras | undefined> =>
      rows.size === 0 ? undefined : checkFetched(await fetch(topic, metasOf(rows), context));
    this.#beside(
      "fetch",
      (context) => Promise.all(groups.map((rows) => one(rows, context))),
      (extras) => next(extras ?? []),
    );
  }

  /** Runs a function of the user's beside the mailbox, for a bounded time; goes on without its result when it fails. */
  #beside<T>(
    what: string,
    work: (context: Context) => T | Promise<T>,
    next: (result: T | undefined) => void,
  ): void {
    const { fetchTimeoutMs } = this.#settings;
    const open: Disposable[] = [];
    const end = (result: PromiseSettledResult<T>): void => {
      for (const one of open) one[Symbol.dispose]();
      if (result.status === "rejected") this.#failed(what, result.reason);
      next(result.status === "fulfilled" ? result.value : undefined);
    };
    const rejected = (reason: unknown): void => end({ status: "rejected", reason });
    try {
      open.push(this.#own.task(async (context) => work(context), end));
    } catch (error) {
      // Too many that never ended.
      return rejected(error);
    }
    const late = (): void => rejected(new Error(`no result in ${fetchTimeoutMs} ms`));
    open.push(this.#own.after(fetchTimeoutMs, late));
  }

  #failed(what: string, error: unknown): void {
    log("error", `presence ${this.#key}: ${what} failed`, error);
  }
}

/** @throws TypeError for anything but a map */
export function checkFetched(extras: unknown): Extras {
  if (extras instanceof Map) return extras;
  throw new TypeError("fetch must return a map from keys to what is known of them");
}
