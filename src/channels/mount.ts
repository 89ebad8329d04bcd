import { invalidOption } from "../support/internal.ts";
import { AnyDefinition } from "./any-definition.ts";
import type { Channel } from "./definition.ts";
import type { SocketOptions } from "./endpoint-options.ts";
import type { EndpointWorld } from "./endpoint-world.ts";
import { limitsOf, type Limits } from "./limits.ts";

/** A mount of a running endpoint: where clients connect, and what is known of those who do. */
export interface Mount {
  readonly options: SocketOptions<unknown>;
  readonly definitions: readonly AnyDefinition[];
  readonly world: EndpointWorld;
}

/** The channels of a mount as they were defined. @throws SLUICE_INVALID_OPTION */
export function definitionsOf(key: string, channels: readonly Channel<never>[]): AnyDefinition[] {
  return channels.map((channel) => {
    if (channel instanceof AnyDefinition && channel.endpoint === key) return channel;
    throw invalidOption("channels", channel, `channels that the endpoint ${key} has defined`);
  });
}

/** The limits of a mount: those of the endpoint, with its own on what waits for a client. */
export function mountLimits(
  limits: Limits,
  maxPendingBytes: number = limits.maxPendingBytes,
): Limits {
  const lowMarkBytes = Math.min(limits.lowMarkBytes, maxPendingBytes);
  return limitsOf({ ...limits, maxPendingBytes, lowMarkBytes });
}
