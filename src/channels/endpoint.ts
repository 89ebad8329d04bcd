import type { ChildSpec } from "../process/index.ts";
import { specOf } from "../process/internal.ts";
import { invalidOption } from "../support/internal.ts";
import { bus } from "../pubsub/internal.ts";
import { currentSystem, type System } from "../runtime/internal.ts";
import { AnyDefinition, type AnyCallbacks } from "./any-definition.ts";
import type { AnyTopic, ContractOf, HistoryTopic, OutOf, Position, TopicMap } from "./contract.ts";
import { BroadcastMessage, type SendOptions } from "./fan-out/broadcast.ts";
import { checkOptions } from "./check-options.ts";
import type { Channel, ChannelDefinition, Schemas } from "./definition.ts";
import { drainOf } from "./server/drain-batches.ts";
import { directory, type EndpointRecord } from "./directory.ts";
import type { EndpointOptions, EndpointServer } from "./endpoint-options.ts";
import { EndpointProcess } from "./server/endpoint-process.ts";
import {
  historySetting,
  type HistoryLogOptions,
  type HistoryServer,
} from "./history/history-options.ts";
import { HistoryProcess } from "./history/history-process.ts";
import { overlap } from "./topic-pattern.ts";
import { speak } from "./fan-out/speak.ts";

/**
 * A typed address on the system's bus: it defines channels and speaks to their clients, in modules other than the
 * server's and before there is one.
 */
export interface Endpoint<M, SA> {
  /** Its name on the bus. */
  readonly key: string;
  /**
   * Defines the channel of a pattern. Write `join` before what takes the channel, `subscribe` before `info`: types are
   * inferred in that order.
   *
   * @throws SluiceError `SLUICE_INVALID_OPTION`, naming the option: for a `*` anywhere but at the end, no `join`, an event of
   * `on` without a schema (unless `"trusted"`), anything unknown.
   */
  channel<P extends keyof M & string, A, I = never, H extends Schemas<M[P]> = "trusted">(
    pattern: P,
    definition: ChannelDefinition<M[P], A, SA, I, H>,
  ): Channel<SA>;
  /**
   * Sends to all who have joined the topic, on all nodes (`pubsub`), in the order of the calls; encoded once, written at
   * the end of the turn. At most once: whoever is not joined then misses it. When nobody has joined, and there are no other
   * nodes, it costs a look-up, is counted (`sluice.pubsub.unreached`), and the payload is not looked at. With history it is
   * `publish` without the wait: what the log does not take is counted and told (`sluice.history.failed`).
   *
   * @throws SluiceError `SLUICE_PAYLOAD_REFUSED` if the payload is no plain object, no JSON, too large, or has the key `"~"`,
   * or its event begins with `phx_` or `~`.
   */
  broadcast<T extends AnyTopic<M>, E extends keyof OutOf<ContractOf<M, T>> & string>(
    topic: T,
    event: E,
    payload: OutOf<ContractOf<M, T>>[E],
  ): void;
  /**
   * Sends to all who have joined the topic on this node. For topics without history.
   *
   * @throws SluiceError `SLUICE_PAYLOAD_REFUSED` as `broadcast`; `SLUICE_INVALID_OPTION` for a topic with history.
   */
  broadcastLocal<T extends AnyTopic<M>, E extends keyof OutOf<ContractOf<M, T>> & string>(
    topic: T,
    event: E,
    payload: OutOf<ContractOf<M, T>>[E],
  ): void;
  /**
   * Appends to the topic's log, from which every node sends it to all who have joined, in the log's order, with its offset
   * under `"~"`; resolves with its place when the log has it. The order of one publisher's calls is that of the log. The log
   * is that of a `history` child, else in memory: then it ends with the program, and each node has its own.
   *
   * @throws SluiceError as a rejection: `SLUICE_PAYLOAD_REFUSED` as `broadcast`; `SLUICE_LOG_BUSY` when too many
   * publications wait for the log; `SLUICE_TIMEOUT` when it does not answer, after which it may have it or not;
   * `SLUICE_NO_PROCESS` when the `history` child is not running; and what the log itself says.
   */
  publish<T extends HistoryTopic<M>, E extends keyof OutOf<ContractOf<M, T>> & string>(
    topic: T,
    event: E,
    payload: OutOf<ContractOf<M, T>>[E],
  ): Promise<Position>;
  /**
   * Describes a log for the history of all topics, shared by all nodes that open it: a child that stands before the
   * endpoint, and on nodes that only publish.
   *
   * ```ts no-run
   * import { run } from "sluice";
   * import { endpoint } from "sluice/channels";
   * import { MemoryLog } from "sluice/store";
   *
   * interface Topics {
   *   news: { out: { said: { readonly text: string } }; history: true };
   * }
   * const web = endpoint<Topics>("web");
   * const news = web.channel("news", { join: () => ({ assigns: {} }), history: { onJoin: 10 } });
   * await run({
   *   strategy: "rest_for_one",
   *   children: {
   *     history: web.history({ log: () => new MemoryLog({ count: 10_000 }) }),
   *     web: web.child({
   *       port: 4000,
   *       sockets: { "/socket": { connect: () => ({}), channels: [news] } },
   *     }),
   *   },
   * });
   * ```
   *
   * @throws SluiceError `SLUICE_INVALID_OPTION`, naming the option.
   */
  history(options: HistoryLogOptions<M>): ChildSpec<HistoryServer>;
  /** Closes all sockets with this id, on all nodes (1001); their channels `leave`. Their clients may connect again if `connect` lets them. */
  disconnect(socketId: string): void;
  /**
   * Describes the server as a child of a supervisor.
   *
   * @throws SluiceError `SLUICE_INVALID_OPTION`, naming the option.
   */
  child(options: EndpointOptions<SA>): ChildSpec<EndpointServer>;
  /** The runtime's own. */
  "~in"(system: System): Endpoint<M, SA>;
  /** The runtime's own. */
  "~announce"(system: System, topic: string, event: string, payload: object): void;
  /** The runtime's own. */
  "~clients"(system: System, topic: string): number;
  /** The runtime's own. */
  "~send"(
    system: System,
    topic: string,
    event: string,
    payload: object,
    options: SendOptions,
  ): Promise<void> | undefined;
}

/** Time to flush the outboxes, to close the clients, and for their sockets and channels to end. */
const shutdownMs = 10_000;

const localOnly: SendOptions = { isLocal: true };

/** The definitions of a token, shared by all its bindings to systems. */
class EndpointToken {
  readonly key: string;
  readonly #bound: System | undefined;
  /** What was defined with it, in whatever system it is used. */
  readonly #definitions: AnyDefinition[];

  constructor(key: string, bound: System | undefined, definitions: AnyDefinition[]) {
    this.key = key;
    this.#bound = bound;
    this.#definitions = definitions;
  }

  "~in"(system: System): EndpointToken {
    return new EndpointToken(this.key, system, this.#definitions);
  }

  channel(pattern: string, callbacks: AnyCallbacks): AnyDefinition {
    const definition = new AnyDefinition(this.key, pattern, callbacks);
    const keeps = ({ history }: AnyDefinition): boolean => history !== undefined;
    // A topic has history or has none, whichever mount its clients come by.
    for (const other of this.#definitions)
      if (keeps(other) !== keeps(definition) && overlap(other, definition))
        throw invalidOption(
          "history",
          callbacks.history,
          `the same for ${pattern} as for ${other.pattern}, which is for some of its topics: with or without`,
        );
    this.#definitions.push(definition);
    return definition;
  }

  broadcast(topic: string, event: string, payload: object): void {
    const system = this.#system;
    void speak(system, this.#record(system), topic, event, payload);
  }

  broadcastLocal(topic: string, event: string, payload: object): void {
    const system = this.#system;
    const record = this.#record(system);
    if (record.log.keeps(topic))
      throw invalidOption("topic", topic, "one without history, which is one for all");
    void speak(system, record, topic, event, payload, undefined, localOnly);
  }

  async publish(topic: string, event: string, payload: object): Promise<Position> {
    const system = this.#system;
    return this.#record(system).log.publish(topic, event, payload);
  }

  /** Broadcasts for the delivery layer, which waits and measures. */
  "~send"(
    system: System,
    topic: string,
    event: string,
    payload: object,
    options: SendOptions,
  ): Promise<void> | undefined {
    return speak(system, this.#record(system), topic, event, payload, undefined, options);
  }

  /** Says to the clients of this node what every node says to its own by itself, and no history keeps. */
  "~announce"(system: System, topic: string, event: string, payload: object): void {
    const message = BroadcastMessage.said(topic, event, payload);
    for (const fanOut of this.#record(system).fanOuts) fanOut.spread(topic, message);
  }

  /** How many on this node have joined a topic. */
  "~clients"(system: System, topic: string): number {
    return this.#record(system).clients(topic);
  }

  disconnect(socketId: string): void {
    const system = this.#system;
    system.get(bus).broadcast(this.#record(system).controlTopic, socketId);
  }

  child(options: EndpointOptions<never>): ChildSpec<EndpointServer> {
    checkOptions(this.key, options);
    const args = [this.key, options, this.#definitions];
    const shutdown = drainOf(options.drain).withinMs + shutdownMs;
    return specOf(EndpointProcess, { args, shutdown }, "worker", this.key) as never;
  }

  history(options: HistoryLogOptions<never>): ChildSpec<HistoryServer> {
    const args = [this.key, historySetting(options)];
    const label = `history of ${this.key}`;
    return specOf(HistoryProcess, { args, shutdown: shutdownMs }, "worker", label) as never;
  }

  get #system(): System {
    return this.#bound ?? currentSystem();
  }

  /** What the system knows of this endpoint; the channels are this token's, if it has any. @throws SLUICE_INVALID_OPTION */
  #record(system: System): EndpointRecord {
    const record = system.get(directory).record(this.key);
    record.define(this.#definitions);
    return record;
  }
}

/**
 * Names the endpoint `key` and binds it to its contracts. Any number of tokens of one key may broadcast; one of them
 * defines the channels.
 *
 * ```ts
 * import { startSupervisor } from "sluice";
 * import { Refused, endpoint, fields } from "sluice/channels";
 *
 * interface Topics {
 *   "room:*": {
 *     join(params: { readonly as: string }): { readonly welcome: string };
 *     in: { say(payload: { readonly text: string }): void };
 *     out: { said: { readonly by: string; readonly text: string } };
 *   };
 * }
 * const web = endpoint<Topics>("web");
 * const room = web.channel("room:*", {
 *   schemas: { join: fields({ as: "string" }), say: fields({ text: "string" }) },
 *   join({ as }, { key }) {
 *     if (key === "private") throw new Refused({ reason: "unauthorized" });
 *     return { assigns: { as }, reply: { welcome: key } };
 *   },
 *   on: { say: ({ text }, channel) => channel.broadcast("said", { by: channel.assigns.as, text }) },
 * });
 *
 * await using app = await startSupervisor({
 *   strategy: "one_for_one",
 *   children: {
 *     web: web.child({
 *       port: 0,
 *       sockets: { "/socket": { connect: () => ({}), channels: [room] } },
 *     }),
 *   },
 * });
 * console.info((await app.children.web.call.address()).url);
 * web.broadcast("room:lobby", "said", { by: "the server", text: "hello" });
 * ```
 *
 * @throws SluiceError `SLUICE_INVALID_OPTION` for a key that is no text.
 */
export function endpoint<M extends TopicMap<M>, SA = {}>(key: string): Endpoint<M, SA> {
  if (typeof key !== "string" || key === "") throw invalidOption("endpoint", key, "a text");
  return new EndpointToken(key, undefined, []) as unknown as Endpoint<M, SA>;
}
