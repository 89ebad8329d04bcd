import type { Msg, NodeConnectionOptions, Subscription } from "@nats-io/transport-node";
import type { Runtime, System } from "../../runtime/internal.ts";
import type { LogBounds, Position, Read } from "../../store/index.ts";
import { type Ears, type LogStore, newEpoch, type Question } from "../../store/internal.ts";
import { log } from "../../telemetry/internal.ts";
import { decodeBatch, encodeBatch, type StoredBatch } from "./nats-batch.ts";
import { NatsLink, type Session } from "./nats-link.ts";
import { readBatches } from "./nats-reader.ts";
import { isOtherSequence, NatsStream, type NatsStreamOptions } from "./nats-stream.ts";
import { NatsTopic, type TopicEnd } from "./nats-topic.ts";
import { subjectToken } from "./subject.ts";

/** So many topics are remembered. */
const maxKnown = 1_000;
/** So many messages are asked for at a time. */
const mostAtOnce = 1_000;

/** What a {@link NatsStore} works with. */
export interface NatsStoreOptions extends Required<LogBounds> {
  readonly connection: NodeConnectionOptions;
  readonly stream: NatsStreamOptions;
  readonly forgetMs: number;
  readonly timeoutMs: number;
}

interface Followed {
  readonly ears: Ears;
  readonly token: string;
  subscription: Subscription | undefined;
  held: boolean;
}

/**
 * Topics as subjects of a stream. What is appended together is one message, which says where the topic ends with it; it
 * is stored only if the one before it is the last, so that offsets are dense. Who follows hears what the server tells of
 * what it stored.
 */
export class NatsStore implements LogStore {
  readonly name = "nats";
  readonly #options: NatsStoreOptions;
  readonly #runtime: Runtime;
  readonly #stream: NatsStream;
  readonly #link: NatsLink;
  readonly #followed: Map<string, Followed> = new Map();
  readonly #known: Map<string, NatsTopic> = new Map();
  readonly #noted: Set<string> = new Set();
  #generation = "";
  /** When it has to be confirmed again. */
  #confirmMs = 0;

  constructor(options: NatsStoreOptions, system: System) {
    const { connection, timeoutMs } = options;
    this.#options = options;
    this.#runtime = system.runtime;
    this.#stream = new NatsStream(options.stream);
    this.#link = new NatsLink({
      connection,
      system,
      timeoutMs,
      up: (session) => this.#prepare(session),
      down: () => {
        for (const followed of this.#followed.values()) {
          if (followed.held) followed.ears.lost();
          followed.held = false;
          followed.subscription = undefined;
        }
      },
    });
  }

  /** Of a message, some is for where the entries belong. */
  get maxBatchBytes(): number {
    const { max_payload = 2 ** 20 } = this.#link.current?.connection.info ?? {};
    return Math.max(Math.min(max_payload, 2 ** 20) - 4_096, 1);
  }

  async append(topic: string, texts: readonly string[], signal: AbortSignal): Promise<Position> {
    const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    const { life, last } = await this.#store(topic, signal, ({ life, last, total }) => [
      { life, first: last + 1, before: total, bytes },
      texts,
    ]);
    return { epoch: this.#epoch(life), offset: last };
  }

  async drop(topic: string, signal: AbortSignal): Promise<void> {
    const session = await this.#link.session(signal);
    if ((await this.#end(session, topic)).sequence === 0) return;
    const life = newEpoch(this.#runtime);
    const begin = { life, first: 1, before: 0, bytes: 0 };
    const { sequence } = await this.#store(topic, signal, () => [begin, []]);
    const filter = this.#stream.stored(subjectToken(topic));
    await session.jsm.streams.purge(this.#stream.name, { filter, seq: sequence });
  }

  async read(question: Question): Promise<Read<unknown>> {
    const { topic, start, limit, live, signal } = question;
    const { count, bytes, ageMs } = this.#options;
    const session = await this.#link.session(signal);
    for (;;) {
      signal.throwIfAborted();
      const end = await this.#end(session, topic);
      const epoch = this.#epoch(end.life);
      const oldest = live ? 1 : Math.max(end.last - count + 1, 1);
      const known =
        "last" in start || (start.after.epoch === epoch && start.after.offset <= end.last);
      const wanted =
        "last" in start ? end.last - limit + 1 : known ? start.after.offset + 1 : oldest;
      const from = Math.max(wanted, oldest);
      const entries: unknown[] = [];
      let first = end.last + 1;
      let restarted = false;
      if (from <= end.last && limit > 0) {
        const since = ageMs === Infinity || live ? -Infinity : this.#runtime.wallNow() - ageMs;
        await this.#each(session, topic, from, limit, end, (batch) => {
          if (batch.life !== end.life) {
            // Of the life before; or of one after, and what is read is gone.
            restarted = batch.sequence > end.sequence;
            return !restarted;
          }
          let sum = batch.before;
          for (const [index, entry] of batch.entries.entries()) {
            const fits = bytes === Infinity || live || end.total - sum <= bytes;
            if (bytes !== Infinity && !live) sum += Buffer.byteLength(JSON.stringify(entry));
            const offset = batch.first + index;
            if (offset < from || offset > end.last || !fits || batch.atMs <= since) continue;
            if (entries.length === 0) first = offset;
            if (entries.length < limit) entries.push(entry);
          }
          return entries.length < limit;
        });
      }
      if (restarted) continue;
      const position = { epoch, offset: first + entries.length - 1 };
      if ("last" in start)
        return { status: "resumed", entries, position: { ...position, offset: end.last } };
      const status = !known ? "reset" : first > start.after.offset + 1 ? "gap" : "resumed";
      return { status, entries, position };
    }
  }

  follow(topic: string, ears: Ears): Disposable {
    const token = subjectToken(topic);
    const followed: Followed = { ears, token, subscription: undefined, held: false };
    this.#followed.set(topic, followed);
    void this.#hold(topic, followed);
    return {
      [Symbol.dispose]: () => {
        if (this.#followed.get(topic) === followed) this.#followed.delete(topic);
        if (followed.subscription?.isClosed() === false) followed.subscription.unsubscribe();
      },
    };
  }

  close(): Promise<void> {
    this.#followed.clear();
    return this.#link.close();
  }

  async #prepare(session: Session): Promise<void> {
    await this.#stream.make(session);
    const { run, notes } = await this.#stream.promise(session);
    for (const [level, note] of notes) {
      if (!this.#noted.has(note)) log(level, note);
      this.#noted.add(note);
    }
    this.#generation = await this.#stream.generation(session, run, newEpoch(this.#runtime));
    this.#known.clear();
    const followed = [...this.#followed];
    for (const [topic, one] of followed) this.#subscribe(session, topic, one);
    await session.connection.flush();
    for (const [topic, one] of followed) this.#held(topic, one);
  }

  async #hold(topic: string, followed: Followed): Promise<void> {
    try {
      const session = await this.#link.session(AbortSignal.timeout(this.#options.timeoutMs));
      this.#subscribe(session, topic, followed);
      await session.connection.flush();
      this.#held(topic, followed);
    } catch {
      // It is not up, or breaks: being made ready again, it holds what is followed.
    }
  }

  #held(topic: string, followed: Followed): void {
    if (followed.held || this.#followed.get(topic) !== followed) return;
    followed.held = true;
    followed.ears.held();
  }

  #subscribe({ connection }: Session, topic: string, followed: Followed): void {
    if (followed.subscription !== undefined || this.#followed.get(topic) !== followed) return;
    followed.subscription = connection.subscribe(this.#stream.told(followed.token), {
      callback: (error, message) => {
        if (error === null) this.#hear(topic, message);
        else log("warning", `nats does not let ${JSON.stringify(topic)} be heard`, error);
      },
    });
  }

  #hear(topic: string, message: Msg): void {
    const followed = this.#followed.get(topic);
    if (followed === undefined) return;
    let batch: StoredBatch;
    try {
      batch = decodeBatch(message.data);
    } catch {
      // Not of a log: reading tells what there is.
      return followed.ears.hear();
    }
    this.#topic(topic).saw(batch, Number(message.headers?.get("Nats-Sequence") ?? 0));
    const { life, first, entries } = batch;
    followed.ears.hear({ epoch: this.#epoch(life), first, entries });
  }

  /** Stores what `make` makes of where the topic ends; again, when another node was faster. */
  async #store(
    topic: string,
    signal: AbortSignal,
    make: (end: TopicEnd) => [Omit<StoredBatch, "entries">, readonly string[]],
  ): Promise<TopicEnd> {
    const session = await this.#link.session(signal);
    const known = this.#topic(topic);
    const subject = this.#stream.stored(subjectToken(topic));
    for (;;) {
      signal.throwIfAborted();
      const end = known.end ?? (await this.#end(session, topic));
      if (end.sequence === 0 || this.#runtime.now() > this.#confirmMs) await this.#confirm(session);
      const [batch, texts] = make(end);
      signal.throwIfAborted();
      try {
        const expect = { lastSubjectSequence: end.sequence };
        const { seq } = await session.js.publish(subject, encodeBatch(batch, texts), { expect });
        return known.saw({ ...batch, entries: texts }, seq);
      } catch (error) {
        known.forget();
        if (!isOtherSequence(error)) throw this.#judge(session, error);
      }
    }
  }

  /** Where a topic ends, as the server knows it. */
  async #end(session: Session, topic: string): Promise<TopicEnd> {
    try {
      const last = await this.#stream.lastOf(session.jsm, this.#stream.stored(subjectToken(topic)));
      if (last !== undefined) return this.#topic(topic).saw(decodeBatch(last.data), last.seq);
    } catch (error) {
      throw this.#judge(session, error);
    }
    this.#topic(topic).forget();
    return { life: this.#unborn(), last: 0, total: 0, sequence: 0 };
  }

  async #each(
    session: Session,
    topic: string,
    offset: number,
    limit: number,
    end: TopicEnd,
    take: Parameters<typeof readBatches>[2],
  ): Promise<void> {
    const known = this.#topic(topic);
    const subject = this.#stream.stored(subjectToken(topic));
    const from = known.before(offset) ?? (await this.#find(session, subject, offset, end));
    const atOnce = Math.min(Math.max(limit, 1), mostAtOnce);
    const range = { stream: this.#stream.name, subject, from, to: end.sequence, atOnce };
    return readBatches(session, range, (batch) => {
      known.saw(batch, batch.sequence);
      return take(batch);
    });
  }

  /**
   * The sequence of a message at or before an offset, looked for from the end backwards in steps that double: what lies
   * between would have to be read. A topic alone in its stream is found at once, for a message has an entry at least.
   */
  async #find({ jsm }: Session, subject: string, offset: number, end: TopicEnd): Promise<number> {
    for (let back = end.last - offset + 1; back < end.sequence; back *= 2) {
      const message = await this.#stream.nextOf(jsm, subject, end.sequence - back);
      if (message === undefined) break;
      const { life, first } = decodeBatch(message.data);
      if (life !== end.life || first <= offset) return message.seq;
    }
    return 1;
  }

  /** Before a topic is born, and now and then: whoever emptied the stream took the generation with it. */
  async #confirm(session: Session): Promise<void> {
    if (await this.#stream.confirm(session, this.#generation)) return this.#confirmed();
    const error = new Error("the stream was emptied");
    this.#link.renew(session, error);
    throw error;
  }

  #confirmed(): void {
    this.#confirmMs = this.#runtime.now() + this.#options.forgetMs / 4;
  }

  /** Without its stream, nothing is as it was. */
  #judge(session: Session, error: unknown): unknown {
    if (this.#stream.isGone(error)) this.#link.renew(session, error);
    return error;
  }

  #topic(topic: string): NatsTopic {
    const known = this.#known.get(topic) ?? new NatsTopic(this.#options.count);
    this.#known.delete(topic);
    this.#known.set(topic, known);
    const [oldest] = this.#known.keys();
    if (this.#known.size > maxKnown && oldest !== undefined) this.#known.delete(oldest);
    return known;
  }

  #epoch(life: string): string {
    return `${life}.${this.#generation}`;
  }

  /**
   * The life of a topic without messages. Another one in each half of the time after which a topic is forgotten: what
   * was born in one half is not forgotten before the next but one.
   */
  #unborn(): string {
    return Math.floor(this.#runtime.wallNow() / (this.#options.forgetMs / 2)).toString(36);
  }
}
