import { SluiceError, invalidOption } from "../../support/internal.ts";
import type { System } from "../../runtime/internal.ts";
import { bus } from "../../pubsub/internal.ts";
import type { Log } from "../../store/index.ts";
import { memoryLogIn } from "../../store/internal.ts";
import { appendFailed, log } from "../../telemetry/internal.ts";
import type { AnyDefinition } from "../any-definition.ts";
import { Backlog, type BacklogBounds } from "./backlog.ts";
import type { SendOptions } from "../fan-out/broadcast.ts";
import type { Position } from "../contract.ts";
import type { EndpointRecord } from "../directory.ts";
import { entryBytes, type HistoryEntry } from "./history-entry.ts";
import { LoggedSend, LoggedSends } from "./logged-send.ts";
import type { Membership } from "../socket/membership.ts";
import { checkEvent, encodeObject } from "../wire/payload.ts";
import { matchTopic, type TopicPattern } from "../topic-pattern.ts";
import { TopicTail } from "./topic-tail.ts";

/** A log that was opened for an endpoint. */
export interface GivenLog {
  readonly log: Log<HistoryEntry>;
  /** Topics with history, where no channel of this node says so. */
  readonly patterns: readonly TopicPattern[];
  readonly bounds: BacklogBounds;
}

/** Failures are told to the log once in this time, and each to the telemetry. */
const quietMs = 10_000;

/**
 * The history of one endpoint on this node: its broadcasts go into a log, and come out of it to whoever has joined. The
 * log is that of a `history` child, or else one in memory for each channel.
 */
export class EndpointLog {
  readonly #system: System;
  readonly #record: EndpointRecord;
  readonly #sends = new LoggedSends();
  readonly #tails: Map<string, TopicTail> = new Map();
  /** Those in memory. */
  readonly #own: Map<AnyDefinition, Log<HistoryEntry>> = new Map();
  #given: GivenLog | undefined = undefined;
  /** A child has opened a log once: without it nothing is said, rather than into another log. */
  #isGiven = false;
  #backlog: Backlog;
  #toldMs = -Infinity;
  #tag: string | undefined = undefined;
  /** Broadcasts that no log has taken. */
  failed = 0;

  constructor(system: System, record: EndpointRecord) {
    this.#system = system;
    this.#record = record;
    this.#backlog = new Backlog(system, record.key);
  }

  /** Appends that are not answered. */
  get backlog(): Pick<Backlog, "size" | "bytes"> {
    return this.#backlog;
  }

  /** Has a topic a history? */
  keeps(topic: string): boolean {
    return (
      this.#record.keeping(topic) !== undefined ||
      (this.#given !== undefined && matchTopic(this.#given.patterns, topic) !== undefined)
    );
  }

  /** Takes the log that a child has opened. @throws SLUICE_INVALID_OPTION */
  give(given: GivenLog): void {
    const { key } = this.#record;
    if (this.#given !== undefined)
      throw invalidOption("history", key, "one log for the endpoint of this key");
    if (this.#own.size > 0)
      throw invalidOption(
        "history",
        key,
        "a log that is opened before anything is said on its topics, and before the endpoint",
      );
    this.#given = given;
    this.#isGiven = true;
    this.#backlog = new Backlog(this.#system, key, given.bounds);
  }

  /** Its child has ended: whoever has joined joins again, and is let in when there is a log again. */
  takeBack(given: GivenLog): void {
    if (this.#given !== given) return;
    this.#given = undefined;
    for (const tail of [...this.#tails.values()]) tail.lose("closed");
  }

  /** Appends a broadcast. @throws SLUICE_PAYLOAD_REFUSED at once; SLUICE_LOG_BUSY and what the log says, as a rejection */
  publish(topic: string, event: string, payload: object, id?: string): Promise<Position> {
    checkEvent(topic, event);
    const json = encodeObject(topic, event, payload, this.#record.limits);
    const entry: HistoryEntry =
      id === undefined ? { event, payload: json } : { event, payload: json, id };
    return this.#backlog.run(entryBytes(entry), () => this.#logOf(topic).append(topic, [entry]));
  }

  /** Appends a broadcast that nobody waits for: a failure is counted and told. @throws SLUICE_PAYLOAD_REFUSED */
  broadcast(topic: string, event: string, payload: object): void {
    this.publish(topic, event, payload).catch((error: unknown) => this.#tellFailed(topic, error));
  }

  /**
   * Appends a broadcast of a sender that measures or waits: resolves when the log has it and, where it waits for clients, those of
   * this node have caught up.
   */
  async send(topic: string, event: string, payload: object, options: SendOptions): Promise<void> {
    const id = `${(this.#tag ??= newTag(this.#system))}.${this.#system.nextId()}`;
    const send = new LoggedSend(options);
    this.#sends.add(id, send);
    try {
      const position = await this.publish(topic, event, payload, id);
      const tail = this.#tails.get(topic);
      this.#sends.appended(id, topic, position, tail?.position);
    } catch (error) {
      this.#sends.take(id)?.unheard();
      throw error;
    }
    if (options.slow === "wait") await send.done;
  }

  /** The tail of the topic that a client joins, opened if it is the first. */
  follow(membership: Membership): TopicTail {
    const { topic } = membership;
    const present = this.#logOf(topic);
    let tail = this.#tails.get(topic);
    if (tail !== undefined && tail.log !== present) {
      // Of a log that was taken back.
      tail.close();
      tail = undefined;
    }
    if (tail === undefined)
      this.#tails.set(topic, (tail = new TopicTail(topic, present, this.#side)));
    return tail;
  }

  /** It hears no more; with the last the tail ends. */
  leave(membership: Membership): void {
    const tail = this.#tails.get(membership.topic);
    if (tail === undefined) return;
    tail.leave(membership);
    if (!tail.isIdle) return;
    this.#tails.delete(membership.topic);
    tail.close();
  }

  /** Is it time for another line about what fails? */
  mayTell(): boolean {
    const now = this.#system.runtime.now();
    if (now - this.#toldMs < quietMs) return false;
    this.#toldMs = now;
    return true;
  }

  readonly #side: ConstructorParameters<typeof TopicTail>[2] = {
    sends: this.#sends,
    spread: (topic, message) => {
      for (const fanOut of this.#record.fanOuts) fanOut.spread(topic, message);
    },
    enter: (membership, held) => membership.hear(held),
  };

  #logOf(topic: string): Log<HistoryEntry> {
    if (this.#given !== undefined) return this.#given.log;
    const target = `the history of ${this.#record.key}`;
    if (this.#isGiven)
      throw new SluiceError("SLUICE_NO_PROCESS", `${target} is not running`, { target });
    const definition = this.#record.keeping(topic);
    if (definition === undefined)
      throw invalidOption("topic", topic, "one whose channel is defined with history");
    let own = this.#own.get(definition);
    if (own === undefined) {
      if (this.#own.size === 0 && this.#system.get(bus).uplink !== undefined)
        log(
          "warning",
          `the history of ${this.#record.key} is in memory, and stays on this node: others hear nothing of it`,
        );
      const { count, bytes, ageMs } = definition.history!;
      const options = { count, bytes, bytesOf: entryBytes, ...(ageMs < Infinity && { ageMs }) };
      own = memoryLogIn<HistoryEntry>(this.#system, options);
      this.#own.set(definition, own);
    }
    return own;
  }

  #tellFailed(topic: string, error: unknown): void {
    this.failed++;
    const endpoint = this.#record.key;
    if (appendFailed.active) appendFailed.emit({ endpoint, topic, reason: error });
    if (this.mayTell())
      log("error", `a broadcast on ${topic} of ${endpoint} is not in its log`, error);
  }
}

/** Tells this node from all others. */
function newTag(system: System): string {
  const part = (): string => Math.floor(system.runtime.random() * 32 ** 5).toString(32);
  return part() + part();
}
