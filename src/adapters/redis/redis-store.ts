import { ErrorReply, type RedisClientOptions } from "redis";
import type { Runtime, System } from "../../runtime/internal.ts";
import { SubscriptionQueue } from "../../pubsub/internal.ts";
import type { LogBounds, Position, Read } from "../../store/index.ts";
import {
  type Batch,
  type Ears,
  type LogStore,
  newEpoch,
  type Question,
} from "../../store/internal.ts";
import type { LogLevel } from "../../telemetry/index.ts";
import { log } from "../../telemetry/internal.ts";
import { type RedisClient, RedisLink } from "./redis-link.ts";
import { promiseOf } from "./redis-promise.ts";
import { appendScript, dropScript, readScript, type Script } from "./redis-scripts.ts";

/** What a {@link RedisStore} works with. */
export interface RedisStoreOptions extends Required<LogBounds> {
  readonly connection: RedisClientOptions;
  readonly prefix: string;
  readonly maxTopics: number;
  readonly forgetMs: number;
  readonly trustRestarts: boolean | undefined;
}

interface Followed {
  readonly ears: Ears;
  held: boolean;
}

/** Topics as Redis Streams, written by scripts that keep the offsets dense, heard as messages of those scripts. */
export class RedisStore implements LogStore {
  readonly name = "redis";
  readonly maxBatchBytes: number = 2 ** 20;
  readonly #options: RedisStoreOptions;
  readonly #runtime: Runtime;
  readonly #commands: RedisLink;
  readonly #hearing: RedisLink;
  readonly #followed: Map<string, Followed> = new Map();
  readonly #noted: Set<string> = new Set();
  readonly #closing: AbortController = new AbortController();
  /** What the connection that hears is asked for: its client takes for heard what it is about to leave. */
  #subscriptions: SubscriptionQueue | undefined = undefined;
  #run = "";
  /** The last connection for commands: which it is, and of which run of the server. */
  #last: { readonly server: string; readonly id: string } | undefined = undefined;

  constructor(options: RedisStoreOptions, system: System) {
    const { connection } = options;
    this.#options = options;
    this.#runtime = system.runtime;
    this.#commands = new RedisLink({ connection, system, up: (client) => this.#ask(client) });
    this.#hearing = new RedisLink({
      connection,
      system,
      up: async (client) => {
        const subscriptions = new SubscriptionQueue((what, channels) =>
          client[what]([...channels], this.#hear),
        );
        this.#subscriptions = subscriptions;
        const followed = [...this.#followed];
        if (followed.length > 0)
          await subscriptions.subscribe(followed.map(([channel]) => channel));
        for (const [channel, one] of followed)
          if (this.#followed.get(channel) === one) this.#hold(one);
      },
      down: () => {
        for (const followed of this.#followed.values()) {
          if (followed.held) followed.ears.lost();
          followed.held = false;
        }
      },
    });
  }

  async append(topic: string, texts: readonly string[], signal: AbortSignal): Promise<Position> {
    const { count, bytes, forgetMs, maxTopics } = this.#options;
    const bounds = [count, finite(bytes), forgetMs, maxTopics].map(String);
    const [epoch, offset] = (await this.#script(
      appendScript,
      topic,
      [...bounds, ...texts],
      signal,
    )) as [string, string];
    return { epoch, offset: Number(offset) };
  }

  async read({ topic, start, limit, signal }: Question): Promise<Read<unknown>> {
    const { epoch, offset } = "after" in start ? start.after : { epoch: "", offset: 0 };
    // An epoch that cannot be is another one.
    const wanted = "after" in start ? epoch || "-" : "";
    const args = [wanted, String(offset), String(Math.min(limit, Number.MAX_SAFE_INTEGER))];
    const [status, now, end, entries] = (await this.#script(readScript, topic, args, signal)) as [
      Read<string>["status"],
      string,
      string,
      string[],
    ];
    const position = { epoch: now, offset: Number(end) };
    return { status, entries: JSON.parse(`[${entries.join(",")}]`) as unknown[], position };
  }

  async drop(topic: string, signal: AbortSignal): Promise<void> {
    await this.#script(dropScript, topic, [], signal);
  }

  follow(topic: string, ears: Ears): Disposable {
    const channel = this.#key(topic);
    const followed: Followed = { ears, held: false };
    this.#followed.set(channel, followed);
    void this.#subscribe(channel, followed);
    return {
      [Symbol.dispose]: () => {
        if (this.#followed.get(channel) !== followed) return;
        this.#followed.delete(channel);
        this.#subscriptions?.unsubscribe(channel);
      },
    };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#followed.clear();
    this.#commands.close();
    this.#hearing.close();
  }

  /** Learns what a new connection's server promises. */
  async #ask(client: RedisClient): Promise<void> {
    const { server, run, notes } = await promiseOf(client, this.#options.trustRestarts);
    await this.#endLast(client, server);
    this.#run = run;
    for (const [level, note] of notes) this.#note(level, note);
  }

  /** What the connection before still brings, when its line is late, would come behind what is appended on this one. */
  async #endLast(client: RedisClient, server: string): Promise<void> {
    try {
      if (this.#last?.server === server)
        await client.sendCommand(["CLIENT", "KILL", "ID", this.#last.id]);
      this.#last = { server, id: String(await client.clientId()) };
    } catch (error) {
      if (!(error instanceof ErrorReply)) throw error;
      this.#note(
        "info",
        "redis does not let its client end a connection of its own: an append that was given up may come behind later ones",
      );
    }
  }

  #note(level: LogLevel, note: string): void {
    if (!this.#noted.has(note)) log(level, note);
    this.#noted.add(note);
  }

  async #subscribe(channel: string, followed: Followed): Promise<void> {
    const { signal } = this.#closing;
    try {
      await this.#hearing.client(signal);
      if (followed.held || this.#followed.get(channel) !== followed) return;
      await this.#subscriptions?.subscribe([channel]);
      if (this.#followed.get(channel) === followed) this.#hold(followed);
    } catch (error) {
      if (signal.aborted || this.#followed.get(channel) !== followed) return;
      log("warning", `redis does not let ${JSON.stringify(channel)} be heard`, error);
      this.#runtime.alarm(1_000, () => void this.#subscribe(channel, followed)).hold(false);
    }
  }

  #hold(followed: Followed): void {
    if (followed.held) return;
    followed.held = true;
    followed.ears.held();
  }

  readonly #hear = (message: string, channel: string): void => {
    this.#followed.get(channel)?.ears.hear(batchOf(message));
  };

  async #script(
    { text, sha }: Script,
    topic: string,
    more: readonly string[],
    signal: AbortSignal,
  ): Promise<unknown> {
    const { prefix, ageMs } = this.#options;
    const keys = [`{${prefix}}:record`, `{${prefix}}:times`, this.#key(topic)];
    // The run is that of the connection which is up when the command is sent.
    const rest = (): string[] => [
      String(keys.length),
      ...keys,
      newEpoch(this.#runtime),
      this.#run,
      topic,
      finite(ageMs),
      ...more,
    ];
    try {
      return await this.#commands.command(() => ["EVALSHA", sha, ...rest()], signal);
    } catch (error) {
      if (!String(error).includes("NOSCRIPT")) throw error;
      return this.#commands.command(() => ["EVAL", text, ...rest()], signal);
    }
  }

  /** Of the entries of a topic, and its channel. */
  #key(topic: string): string {
    return `{${this.#options.prefix}}:t:${topic}`;
  }
}

/** A bound, or 0 for none. */
function finite(bound: number): string {
  return bound === Infinity ? "0" : String(bound);
}

function batchOf(message: string): Batch | undefined {
  if (message === "") return undefined;
  try {
    const [epoch, first, entries] = JSON.parse(message) as [string, number, unknown[]];
    return { epoch, first, entries };
  } catch {
    // Not of a script: reading tells what there is.
    return undefined;
  }
}
