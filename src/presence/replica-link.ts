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
import type { Changes, Row, Slice } from "./row.ts";

/** Pieces of one's own doings in one beat; what is more is asked for. */
const maxPiecesPerBeat = 64;
/** More than so many are told in several. */
const clocksPerBeat = 64;
/** The first beat, and the answer to a newcomer, come within this share of a beat. */
const soonShare = 0.25;
/** A question is given up after so many beats. */
const answerBeats = 2;

type SliceMessage = Extract<ReplicaMessage, { readonly slice: Slice }>;

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
  #isGreeting = false;
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
    this.#all.subscribe(this.#self, hear);
    this.#to(this.#state.self).subscribe(this.#self, hear);
    // The one before it in this system has ended without a word.
    if (before !== undefined) this.#say(this.#all, { kind: "bye", from: before });
    const { beatMs } = this.#settings;
    this.#soon(() => {
      this.#beat();
      this.#own.every(beatMs, () => this.#beat());
    });
  }

  /** Tells the others that it is no more. */
  bye(): void {
    this.#say(this.#all, { kind: "bye", from: this.#state.self });
  }

  get #self(): Self {
    return this.#own as unknown as Self;
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
    const known = [self, ...this.replicas.up()];
    for (let at = 0; at < known.length; at += clocksPerBeat) {
      const part = known.slice(at, at + clocksPerBeat);
      const clocks = part.map((id) => [id, this.#state.upTo(id)] as const);
      this.#say(this.#all, { kind: "beat", from: self, node: this.#settings.node, clocks });
    }
  }

  /** What it did since it told last. */
  #tellOwn(): boolean {
    const { self, clock } = this.#state;
    if (this.#told === clock) return false;
    for (let piece = 0; piece < maxPiecesPerBeat && this.#told < clock; piece++) {
      const sent = this.#fit(this.#all, (maxBytes) => {
        const slice = this.#state.delta(this.#told, maxBytes);
        return slice && { kind: "delta", from: self, slice };
      });
      if (sent === undefined) break;
      this.#told = sent.to;
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
      case "ask":
        this.#fit(this.#to(message.from), (maxBytes) => this.exchange.answer(message, maxBytes));
        return;
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
    if (this.#isGreeting) return;
    this.#isGreeting = true;
    this.#soon(() => {
      this.#isGreeting = false;
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
    for (const { to, ask } of questions) this.#say(this.#to(to), ask);
  }

  #to(replica: string): Topic<unknown> {
    return this.#system.of(topic<unknown>(`presence:${this.#key}/${replica}`));
  }

  #say(to: Topic<unknown>, message: ReplicaMessage): void {
    try {
      to.broadcastFrom(this.#self, writeMessage(message));
    } catch (error) {
      log("error", `presence ${this.#key}: a message to other nodes was not sent`, error);
    }
  }

  /** Sends a slice; in smaller ones what the adapter refuses, and without a row that is too large by itself. */
  #fit(
    to: Topic<unknown>,
    make: (maxBytes: number) => SliceMessage | undefined,
  ): Slice | undefined {
    for (let maxBytes = this.#settings.maxMessageBytes; ; maxBytes = Math.floor(maxBytes / 2)) {
      const message = make(maxBytes);
      if (message === undefined) return undefined;
      const { slice } = message;
      try {
        to.broadcastFrom(this.#self, writeMessage(message));
        return slice;
      } catch (error) {
        // At no bytes at all a slice is what one tick did: it cannot be cut any more.
        if (maxBytes > 0 && slice.rows.length + (slice.gone?.length ?? 0) > 1) continue;
        const what = slice.rows.map(({ topic, key }) => `${key} in ${topic}`).join();
        log("error", `presence ${this.#key}: other nodes are not told of ${what}`, error);
        this.#say(to, { ...message, slice: { ...slice, rows: [] } });
        return slice;
      }
    }
  }

  #ignore(why: string): void {
    if (presenceIgnored.active) presenceIgnored.emit({ presence: this.#key, why });
  }

  #tell(replica: string, status: "up" | "down" | "gone"): void {
    if (presenceReplica.active) presenceReplica.emit({ presence: this.#key, replica, status });
  }
}
