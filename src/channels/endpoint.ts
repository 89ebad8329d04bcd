import type { ChildSpec } from "../process/index.ts";
import type { System } from "../runtime/index.ts";
import type { AnyTopic, ContractOf, HistoryTopic, OutOf, Position } from "./contract.ts";
import type { Channel, ChannelDefinition } from "./definition.ts";
import type { EndpointOptions, EndpointServer } from "./endpoint-options.ts";

/**
 * A typed address on the system's local bus: it defines channels and speaks to their clients, in modules other than the
 * server's and before there is one.
 */
export interface Endpoint<M, SA> {
  /** Its name on the bus. */
  readonly key: string;
  /**
   * Defines the channel of a pattern. Write `join` before what takes the channel, `subscribe` before `info`: types are
   * inferred in that order.
   *
   * @throws SluiceError `SLUICE_INVALID_OPTION` for a `*` anywhere but at the end.
   */
  channel<P extends keyof M & string, A, I = never>(
    pattern: P,
    definition: ChannelDefinition<M[P], A, SA, I>,
  ): Channel<SA>;
  /**
   * Sends to every subscriber of the topic, on all nodes; each gets the broadcasts of one sender in order. With history it
   * is `publish` without the wait.
   *
   * @throws SluiceError `SLUICE_PAYLOAD_REFUSED` if the payload is no plain object, no JSON, or too large.
   */
  broadcast<T extends AnyTopic<M>, E extends keyof OutOf<ContractOf<M, T>> & string>(
    topic: T,
    event: E,
    payload: OutOf<ContractOf<M, T>>[E],
  ): void;
  /**
   * Appends to the topic's log, from which all nodes send it in one order; resolves when the log has it.
   *
   * @throws SluiceError `SLUICE_PAYLOAD_REFUSED` as `broadcast`, as a rejection.
   */
  publish<T extends HistoryTopic<M>, E extends keyof OutOf<ContractOf<M, T>> & string>(
    topic: T,
    event: E,
    payload: OutOf<ContractOf<M, T>>[E],
  ): Promise<Position>;
  /** Closes all sockets with this id, on all nodes; their channels `leave`. They may connect again if `connect` lets them. */
  disconnect(socketId: string): void;
  /** Describes the server as a child of a supervisor. */
  child(options: EndpointOptions<SA>): ChildSpec<EndpointServer>;
  /** The runtime's own. */
  "~in"(system: System): Endpoint<M, SA>;
}
