import { checkInteger, checkSecrets, invalidOption } from "../support/internal.ts";
import { checkBackoff, checkKnown, checkMs, checkOneOf } from "../process/internal.ts";
import type { Backoff } from "../process/index.ts";
import type { Adapter } from "./adapter.ts";

/** How a node is joined to others. */
export interface PubSubOptions {
  /** The broker between them: from `sluice/nats`, `sluice/redis`, `sluice/postgres`, or of your own. */
  readonly adapter: Adapter;
  /**
   * What the nodes sign with what they say to each other, and know each other by: secrets of at least 32 bytes each, such as
   * `openssl rand -base64 32` prints. The first signs, all verify. To change it, add the new one behind the old one on all
   * nodes, then put it first, then take the old one away. `"trusted"`: whoever can write to the broker may say anything to
   * clients. Default: `"trusted"` for a broker that only this machine can reach, and for others there is none.
   */
  readonly secrets?: readonly string[] | "trusted";
  /** How others know this node, from 1 to 128 characters; default: made up, another one in each system. */
  readonly nodeName?: string;
  /** How long the start waits for the connection; default 5,000. */
  readonly startTimeoutMs?: number;
  /**
   * Not connected in time: `"fail"` the start, or go on alone, `"local"`, and announce the gap when connected. Default
   * `"fail"`.
   */
  readonly unconnected?: "fail" | "local";
  /** Waits between two tries to connect; default from 50 ms to 5 s, half of it chance. */
  readonly reconnectDelayMs?: number | Backoff;
  /** How long one try may take; default 10,000. */
  readonly connectTimeoutMs?: number;
  /**
   * The node tells itself something by way of the broker that often, and takes the connection for lost when it has not
   * heard it by the next time; default 5,000.
   */
  readonly heartbeatMs?: number;
  /** How long a join, or whoever waits for a subscription, waits for the broker to confirm it; default 2,000. */
  readonly confirmMs?: number;
  /** Bytes of one message to other nodes, with its envelope, if the broker takes as much; default 1 MiB. */
  readonly maxMessageBytes?: number;
  /** Bytes that the broker has not confirmed yet; what is beyond is not sent, and counted. Default 16 MiB. */
  readonly maxPendingBytes?: number;
}

/** The options with their defaults. */
export type LinkOptions = Required<Omit<PubSubOptions, "nodeName">> & {
  readonly nodeName: string | undefined;
};

const defaults = {
  secrets: undefined,
  nodeName: undefined,
  startTimeoutMs: 5_000,
  unconnected: "fail",
  reconnectDelayMs: { firstMs: 50, maxMs: 5_000, jitter: 0.5 },
  connectTimeoutMs: 10_000,
  heartbeatMs: 5_000,
  confirmMs: 2_000,
  maxMessageBytes: 2 ** 20,
  maxPendingBytes: 2 ** 24,
} as const;

const known: ReadonlySet<string> = new Set(["adapter", ...Object.keys(defaults)]);

/** @throws SLUICE_INVALID_OPTION */
export function linkOptions(given: PubSubOptions): LinkOptions {
  checkKnown("pubsub", given, known);
  const options = { ...defaults, ...given };
  const { adapter, nodeName } = options as { readonly [option: string]: unknown };
  if (typeof (adapter as Partial<Adapter> | null | undefined)?.connect !== "function")
    throw invalidOption("adapter", adapter, "what natsAdapter, redisAdapter, … return");
  if (nodeName !== undefined && !(typeof nodeName === "string" && /^.{1,128}$/su.test(nodeName)))
    throw invalidOption("nodeName", nodeName, "text of 1 to 128 characters");
  checkOneOf("unconnected", options.unconnected, ["fail", "local"]);
  checkBackoff("reconnectDelayMs", options.reconnectDelayMs);
  checkMs("startTimeoutMs", options.startTimeoutMs);
  for (const option of ["connectTimeoutMs", "heartbeatMs", "confirmMs"] as const)
    checkInteger(option, options[option], 1);
  for (const option of ["maxMessageBytes", "maxPendingBytes"] as const)
    checkInteger(option, options[option], 1_024);
  return { ...options, secrets: secretsOf(options.adapter, options.secrets) };
}

function secretsOf(adapter: Adapter, secrets: PubSubOptions["secrets"]): LinkOptions["secrets"] {
  if (secrets === "trusted" || (secrets === undefined && adapter.isLoopback === true))
    return "trusted";
  if (secrets === undefined)
    throw invalidOption(
      "secrets",
      "none",
      `secrets that nodes sign with, since others may reach ${adapter.kind}, or "trusted"`,
    );
  checkSecrets(secrets);
  return [...secrets];
}
