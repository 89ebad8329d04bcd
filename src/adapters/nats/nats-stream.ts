import {
  JetStreamApiError,
  type JetStreamManager,
  type LastForMsgRequest,
  type MsgRequest,
  type NextMsgRequest,
  type StoredMsg,
  type StreamConfig,
} from "@nats-io/jetstream";
import type { LogLevel } from "../../telemetry/index.ts";
import type { Session } from "./nats-link.ts";

/** What a {@link NatsStream} is like. */
export interface NatsStreamOptions {
  readonly prefix: string;
  readonly storage: "file" | "memory";
  readonly replicas: number;
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  readonly maxPerTopic: number;
  readonly trustRestarts: boolean | undefined;
}

/** What a server promises of what it has acknowledged. */
export interface NatsPromise {
  /** Which run of the server this is, if the next one may lack what this one acknowledged; else `""`. */
  readonly run: string;
  readonly notes: readonly (readonly [LogLevel, string])[];
}

/** The codes of JetStream that mean something here. */
const code = { noMessage: 10_037, otherSequence: 10_071, inUse: 10_058, noStream: 10_059 } as const;

/**
 * The stream of a log. What is stored on `prefix.log.token` is told on `prefix.tail.token` when it is stored: there
 * whoever follows the topic hears it. `prefix.log-life` has the generation of the log, and the run of the server that
 * it belongs to; when that changes, all epochs end.
 */
export class NatsStream {
  readonly name: string;
  readonly #options: NatsStreamOptions;

  constructor(options: NatsStreamOptions) {
    this.#options = options;
    this.name = `${options.prefix.replaceAll(".", "_")}_log`;
  }

  stored(token: string): string {
    return `${this.#options.prefix}.log.${token}`;
  }

  told(token: string): string {
    return `${this.#options.prefix}.tail.${token}`;
  }

  /** Makes the stream where there is none, or changes it to what is wanted. */
  async make({ jsm }: Session): Promise<void> {
    const { prefix, storage, replicas, maxBytes, maxAgeMs, maxPerTopic } = this.#options;
    const config: Partial<StreamConfig> & { name: string } = {
      name: this.name,
      subjects: [`${prefix}.log.*`, `${prefix}.log-life`],
      storage,
      num_replicas: replicas,
      max_bytes: maxBytes,
      max_age: maxAgeMs * 1_000_000,
      max_msgs_per_subject: maxPerTopic,
      // Letting go of the oldest of all could take the whole of a topic, whose offsets would begin again unseen.
      discard: "new",
      republish: { src: `${prefix}.log.*`, dest: `${prefix}.tail.{{wildcard(1)}}` },
    };
    try {
      await jsm.streams.add(config);
    } catch (error) {
      if (!(error instanceof JetStreamApiError) || error.code !== code.inUse) throw error;
      // What cannot be changed stays.
      const { config: present } = await jsm.streams.info(this.name);
      await jsm.streams.update(this.name, { ...config, num_replicas: present.num_replicas });
    }
  }

  /** How durable it is. */
  async promise({ jsm, connection }: Session): Promise<NatsPromise> {
    const { config } = await jsm.streams.info(this.name);
    const notes: [LogLevel, string][] = [];
    const { info } = connection;
    const cluster = info?.cluster !== undefined;
    const keeps = this.#options.trustRestarts ?? config.num_replicas >= 3;
    if (config.storage === "memory")
      notes.push([
        "warning",
        `the stream ${this.name} is in memory: when its servers end, what they acknowledged is lost, and readers hear of a reset`,
      ]);
    else if (!keeps && cluster)
      notes.push([
        "warning",
        `the stream ${this.name} is on one server of a cluster: what that acknowledged and lost in a crash is not told`,
      ]);
    else if (!keeps)
      notes.push([
        "info",
        `the stream ${this.name} is on one server, which syncs late: after each of its restarts readers hear of a reset`,
      ]);
    return { run: keeps ? "" : cluster ? "cluster" : (info?.server_id ?? ""), notes };
  }

  /** The generation of the log; a new one where there is none, or the server may have lost something. */
  async generation({ js, jsm }: Session, run: string, fresh: string): Promise<string> {
    const subject = `${this.#options.prefix}.log-life`;
    for (;;) {
      const last = await this.lastOf(jsm, subject);
      const [generation = "", known = ""] = last === undefined ? [] : last.json<string[]>();
      if (last !== undefined && (run === "" || run === known)) return generation;
      try {
        const expect = { lastSubjectSequence: last?.seq ?? 0 };
        await js.publish(subject, JSON.stringify([fresh, run]), { expect });
        return fresh;
      } catch (error) {
        // Another node was first.
        if (!isOtherSequence(error)) throw error;
      }
    }
  }

  /** Whether that is still the generation. It ages like all else, and is young again if it is. */
  async confirm({ js, jsm }: Pick<Session, "js" | "jsm">, generation: string): Promise<boolean> {
    const subject = `${this.#options.prefix}.log-life`;
    const last = await this.lastOf(jsm, subject);
    if (last?.json<string[]>()[0] !== generation) return false;
    try {
      await js.publish(subject, last.data, { expect: { lastSubjectSequence: last.seq } });
      return true;
    } catch (error) {
      if (isOtherSequence(error)) return this.confirm({ js, jsm }, generation);
      throw error;
    }
  }

  /** Whether the stream is not there. */
  isGone(error: unknown): boolean {
    if (error instanceof JetStreamApiError) return error.code === code.noStream;
    // Nobody stores the subject.
    return error instanceof Error && error.name === "JetStreamNotEnabled";
  }

  /** The last message that is stored on a subject. */
  lastOf(jsm: JetStreamManager, subject: string): Promise<StoredMsg | undefined> {
    return this.#find(jsm, { last_by_subj: subject });
  }

  /** The first one that is stored on a subject with that sequence or a later one. */
  nextOf(jsm: JetStreamManager, subject: string, seq: number): Promise<StoredMsg | undefined> {
    return this.#find(jsm, { seq, next_by_subj: subject });
  }

  async #find(
    jsm: JetStreamManager,
    wanted: LastForMsgRequest | NextMsgRequest,
  ): Promise<StoredMsg | undefined> {
    try {
      // The type lacks what servers take since 2.9.
      return (await jsm.streams.getMessage(this.name, wanted as MsgRequest)) ?? undefined;
    } catch (error) {
      if (error instanceof JetStreamApiError && error.code === code.noMessage) return undefined;
      throw error;
    }
  }
}

/** Whether another one was stored before. */
export function isOtherSequence(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === code.otherSequence;
}
