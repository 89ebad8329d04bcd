import { checkFunction, checkKnown, checkMs } from "../process/internal.ts";
import { currentSystem, type System } from "../runtime/internal.ts";
import { checkSlow, clientsOf, onReceipt, send, type SendOptions } from "../channels/internal.ts";
import { invalidOption } from "../support/internal.ts";
import type { Broadcast, Endpoint, SlowPolicy } from "../channels/index.ts";
import { Meter, meters, type DeliveryFigures } from "./meter.ts";

const defaultMaxWaitMs = 1_000;

/** How a sink treats clients that do not keep up. */
export interface SinkOptions {
  /**
   * What a client for whom more than 1 MiB waits means; default: its channel's policy. `"wait"`: delivery waits for it,
   * `maxWaitMs` at most, then it is disconnected (4008); never for topics open to strangers.
   */
  readonly slow?: SlowPolicy | "wait";
  /** The longest wait for one client of this node, in ms; default 1,000. */
  readonly maxWaitMs?: number;
}

const known: ReadonlySet<string> = new Set(["slow", "maxWaitMs"]);

/** Looks at what a sink or a deliver task is made of. @throws SLUICE_INVALID_OPTION */
export function checkDelivery(
  what: string,
  to: unknown,
  route: unknown,
  options: SinkOptions,
): void {
  if (typeof (to as { readonly key?: unknown } | null | undefined)?.key !== "string")
    throw invalidOption(`${what}: to`, to, "an endpoint");
  checkFunction(`${what}: route`, route);
  checkKnown(what, options, known);
  const { slow, maxWaitMs = defaultMaxWaitMs } = options;
  if (slow !== "wait") checkSlow(`${what}: slow`, slow, '"wait"');
  checkMs(`${what}: maxWaitMs`, maxWaitMs, false);
}

/** A message as the route of a sink gives it, whatever the contract. */
interface Outgoing {
  readonly topic: string;
  readonly event: string;
  readonly payload: object;
}

/** Sends one message and measures it; a promise is a wait for slow clients. */
export type Delivery = (
  system: System,
  message: Outgoing,
  enteredMs: number,
) => Promise<void> | undefined;

/** The meter of an endpoint in a system; it hears of the receipts from then on. */
function meterOf(system: System, key: string): Meter {
  const all = system.get(meters);
  let meter = all.get(key);
  if (meter === undefined) {
    const made = (meter = new Meter(system));
    all.set(key, made);
    onReceipt(system, key, (topic, id) => made.received(id, topic));
  }
  return meter;
}

/** What sinks and deliver tasks do with each message. */
export function delivery<M, SA>(
  web: Endpoint<M, SA>,
  { slow, maxWaitMs = defaultMaxWaitMs }: SinkOptions,
): Delivery {
  let meter: Meter | undefined;
  let home: System | undefined;
  return (system, { topic, event, payload }, enteredMs) => {
    if (meter === undefined || home !== system) [meter, home] = [meterOf(system, web.key), system];
    const mine = meter;
    const meta = mine.isDue
      ? mine.sample(topic, event, enteredMs, clientsOf(web, system, topic))
      : undefined;
    const options: SendOptions = {
      maxWaitMs,
      written: (clients, missed) => mine.written(topic, event, enteredMs, clients, missed),
      ...(meta !== undefined && { meta }),
      ...(slow !== undefined && { slow: slow as NonNullable<SendOptions["slow"]> }),
    };
    return send(web, system, topic, event, payload, options);
  };
}

/** What has been delivered through an endpoint of the current system, readable at any time. */
export function deliveryFigures<M, SA>(web: Endpoint<M, SA>): DeliveryFigures {
  return meterOf(currentSystem(), web.key).figures;
}

/** The route's result in the form that is sent. */
export function outgoing<M>(broadcast: Broadcast<M>): Outgoing {
  return broadcast as unknown as Outgoing;
}
