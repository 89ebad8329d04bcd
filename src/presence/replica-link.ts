import type { System } from "../runtime/internal.ts";
import type { Own } from "../process/internal.ts";
import type { Self } from "../process/index.ts";
import { topic, type Topic } from "../pubsub/index.ts";
import { log, presenceIgnored, presenceReplica } from "../telemetry/internal.ts";
import { Exchange, type Question } from "./exchange.ts";
import { readMessage, writeMessage, type ReplicaMessage } from "./message.ts";
import type { Settings } from "./options.ts";
import type { PresenceState } from "./presence-state.ts";
import { Replicas } from "./replicas.ts";
import type { Changes, Row } from "./row.ts";

/** Pieces of one's own doings in one beat; what is more is asked for. */
const maxPiecesPerBeat = 64;
/** The first beat, and the answer to a newcomer, come within this share of a beat. */
const soonShare = 0.25;
/** A question is given up after so many beats. */
const answerBeats = 2;

/**
 * One replica among others: beats, deltas, who is up, and what was missed. Talks on two topics of the bus, one for all
 * replicas and one of its own; tells the tracker what has become visible and what has not.
 */
export class ReplicaLink {
  readonly exchange: Exchange;
  readonly replicas: Replicas;
  readonly #key: string;
  readonly #own: Own;
  readonly #system: System;
  readonly #state: PresenceState;
  readonly #settings: Settings;
  readonly #changed: (changes: Changes) => void;
  readonly #all: Topic<unknown>;
  /** Own clock up to which others were told. */
  #told = 0;
  #silent: number;
  #beats = 0;
  #sweptMs: number;
  #greeting: Disposable | undefined = undefined;
  #warned = false;

  constructor(
    key: string,
    own: Own,
    state: PresenceState,
    settings: Settings,
    changed: (changes: Changes) => void,
  ) {
    this.#key = key;
    this.#own = own;
    this.#system = own.cell.system;
    this.#state = state;
    this.#settings = settings;
    this.#changed = changed;
    this.exchange = new Exchange(state);
    this.replicas = new Replicas(settings);
    this.#all = this.#system.of(topic<unknown>(`presence:${key}`));
    // The first beat goes out, also when there is nothing to tell.
    this.#silent = settings.silentBeats;
    this.#sweptMs = this.#now;
  }

  /** Begins to hear and to beat. */
  open(before: string | undefined): void {
    const hear = (raw: unknown): void => this.#hear(raw);
    const self = this.#own as unknown as Self;
    this.#all.subscribe(self, hear);
    this.#to(this.#state.self).subscribe(self, hear);
    // The one before it in this system has ended without a word.
    if (before !== undefined) this.#broadcast({ kind: "bye", from: before });
    const { beatMs } = this.#settings;
    this.#soon(() => {
      this.#beat();
      this.#own.every(beatMs, () => this.#beat());
    });
  }

  /** Tells the others that it is no more. */
  bye(): void {
    this.#broadcast({ kind: "bye", from: this.#state.self });
  }

  get #now(): number {
    return this.#system.runtime.now();
  }

  #soon(run: () => void): Disposable {
    return this.#own.after(this.#system.runtime.random() * soonShare * this.#settings.beatMs, run);
  }

  #beat(): void {
    const { beatMs, silentBeats, askBeats } = this.#settings;
    this.#sweep();
    this.#beats++;
    const isNews = this.#tellOwn();
    if (isNews || ++this.#silent > silentBeats) this.#tellClocks();
    if (this.#beats % askBeats === 0)
      this.#askAll(this.exchange.due(this.#now, answerBeats * beatMs));
  }

  #tellClocks(): void {
    this.#silent = 0;
    const { self } = this.#state;
    const known = [self, ...this.replicas.up()].map((id) => [id, this.#state.upTo(id)] as const);
    this.#broadcast({ kind: "beat", from: self, node: this.#settings.node, clocks: known });
  }

  /** What it did since it told last. */
  #tellOwn(): boolean {
    const { self, clock } = this.#state;
    if (this.#told === clock) return false;
    for (let piece = 0; piece < maxPiecesPerBeat && this.#told < clock; piece++) {
      const slice = this.#state.delta(this.#told, this.#settings.maxMessageBytes);
      if (slice === undefined) break;
      this.#broadcast({ kind: "delta", from: self, slice });
      this.#told = slice.to;
    }
    // Whatever is left is asked for by those who see its clock.
    this.#told = clock;
    return true;
  }

  #sweep(): void {
    const now = this.#now;
    const lateMs = now - this.#sweptMs - this.#settings.beatMs;
    this.#sweptMs = now;
    // What came while this thread stood still is in the mailbox, behind this beat.
    if (lateMs > this.#settings.beatMs) this.replicas.excuse(lateMs);
    const { down, forgotten } = this.replicas.sweep(now);
    for (const id of down) this.#down(id);
    for (const id of forgotten) this.#forget(id);
  }

  #hear(raw: unknown): void {
    const message = readMessage(raw);
    if (message.kind === "ignored") return this.#ignore(message.why);
    const { from } = message;
    if (from === this.#state.self) return;
    if (message.kind === "bye") return this.#retire(from);
    const heard = this.replicas.heard(from, this.#now);
    if (heard === "retired") return this.#ignore("it has ended");
    if (heard === "full") return this.#ignore("too many replicas");
    if (heard !== "known") this.#up(from, heard === "back");
    if (message.kind === "beat") this.#replace(from, message.node);
    this.#take(message, heard !== "known");
  }

  #take(message: Exclude<ReplicaMessage, { kind: "bye" }>, isFirst: boolean): void {
    switch (message.kind) {
      case "beat": {
        const { from, clocks } = message;
        this.exchange.note(from, clocks, (id) => this.replicas.isUp(id));
        if (isFirst)
          this.#askAll(this.exchange.due(this.#now, answerBeats * this.#settings.beatMs));
        return;
      }
      case "delta":
        return this.#visible(message.slice.replica, this.#state.merge(message.slice));
      case "ask": {
        const give = this.exchange.answer(message, this.#settings.maxMessageBytes);
        if (give !== undefined) this.#to(message.from).broadcast(writeMessage(give));
        return;
      }
      case "give": {
        const { changes, next } = this.exchange.take(message, this.#now);
        this.#visible(message.slice.replica, changes);
        if (next !== undefined) this.#askAll([next]);
      }
    }
  }

  /** What has changed of a replica that is down is not seen. */
  #visible(replica: string, changes: Changes): void {
    if (this.replicas.isUp(replica)) this.#changed(changes);
  }

  #up(id: string, isBack: boolean): void {
    this.#state.know(id);
    if (isBack) this.#changed({ joins: [...this.#state.rowsOf(id)], leaves: [] });
    this.#tell(id, "up");
    // It knows nothing of this one yet, or nothing new.
    this.#greeting ??= this.#soon(() => {
      this.#greeting = undefined;
      this.#tellClocks();
    });
  }

  #down(id: string): void {
    this.#changed({ joins: [], leaves: [...this.#state.rowsOf(id)] });
    this.exchange.forget(id);
    this.#tell(id, "down");
  }

  /** A new incarnation of a node takes the place of the one before. */
  #replace(id: string, node: string | undefined): void {
    if (node === undefined) return;
    for (const before of this.replicas.rename(id, node)) this.#down(before);
    if (node !== this.#settings.node || this.#warned) return;
    this.#warned = true;
    log("warning", `presence ${this.#key}: another node is called ${node} too`);
  }

  #retire(id: string): void {
    this.#forget(id);
    this.replicas.retire(id, this.#now);
  }

  #forget(id: string): void {
    const rows: Row[] = this.replicas.isUp(id) ? [...this.#state.rowsOf(id)] : [];
    this.#state.forget(id);
    this.exchange.forget(id);
    this.#changed({ joins: [], leaves: rows });
    this.#tell(id, "gone");
  }

  #askAll(questions: readonly Question[]): void {
    for (const { to, ask } of questions) this.#to(to).broadcast(writeMessage(ask));
  }

  #to(replica: string): Topic<unknown> {
    return this.#system.of(topic<unknown>(`presence:${this.#key}/${replica}`));
  }

  #broadcast(message: ReplicaMessage): void {
    this.#all.broadcast(writeMessage(message));
  }

  #ignore(why: string): void {
    if (presenceIgnored.active) presenceIgnored.emit({ presence: this.#key, why });
  }

  #tell(replica: string, status: "up" | "down" | "gone"): void {
    if (presenceReplica.active) presenceReplica.emit({ presence: this.#key, replica, status });
  }
}
