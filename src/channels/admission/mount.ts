import { checkKnown } from "../../process/internal.ts";
import { checkInteger, invalidOption } from "../../support/internal.ts";
import { AnyDefinition } from "../any-definition.ts";
import type { Channel } from "../definition.ts";
import type { SocketOptions } from "../endpoint-options.ts";
import type { EndpointWorld } from "../server/endpoint-world.ts";
import { limitsOf, type Limits } from "../limits.ts";
import type { MountPath } from "./mount-path.ts";
import type { RightsDesk } from "./socket-rights.ts";

/** A mount of a running endpoint: where clients connect, and what is known of those who do. */
export interface Mount {
  readonly path: MountPath;
  readonly options: SocketOptions<unknown>;
  readonly definitions: readonly AnyDefinition[];
  readonly world: EndpointWorld;
  readonly rights: RightsDesk;
  /** How long a poll waits; nothing where there is no long-polling. */
  readonly windowMs: number | undefined;
}

/** A mount that may be polled. */
export interface PolledMount extends Mount {
  readonly windowMs: number;
}

/** The window of the stock server. */
const defaultWindowMs = 10_000;
/** A poll may wait one sweep longer, and its client no longer than 20 s. */
const longestWindowMs = 18_000;
const longPollOptions: ReadonlySet<string> = new Set(["windowMs"]);

/** How long a poll of a mount waits. @throws SLUICE_INVALID_OPTION */
export function windowOf({ longPoll = false }: SocketOptions<never>): number | undefined {
  if (typeof longPoll === "boolean") return longPoll ? defaultWindowMs : undefined;
  checkKnown("longPoll", longPoll, longPollOptions);
  const { windowMs = defaultWindowMs } = longPoll;
  checkInteger("longPoll.windowMs", windowMs, 1, longestWindowMs);
  return windowMs;
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
