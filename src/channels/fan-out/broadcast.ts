import { Outgoing, type FrameKind, type FrameWatch } from "../socket/outbox.ts";
import type { SlowPolicy } from "../definition.ts";
import type { Limits } from "../limits.ts";
import { messageFrame } from "../wire/frame.ts";
import {
  encodePayload,
  isBytes,
  notPlain,
  payloadRefused,
  withMeta,
  type Payload,
} from "../wire/payload.ts";
import type { Serializer } from "../wire/serializer.ts";

/** What a sender that measures and waits wants of one broadcast. */
export interface SendOptions {
  /** In the place of the topic's own policy. */
  readonly slow?: SlowPolicy<unknown> | "wait";
  /** The longest wait, from when a client reached its limit; it is disconnected then. Default 1,000. */
  readonly maxWaitMs?: number;
  /** What the payload carries under `"~"`, for the runtime of the client. */
  readonly meta?: { readonly receipt: number; readonly oneIn?: number };
  /** To the clients of this node alone. */
  readonly isLocal?: true;
  /** Called once, when the frame is with the sockets of all its clients: how many have it, and how many will not. */
  readonly written?: (clients: number, missed: number) => void;
}

/** Counts the clients that a broadcast has reached. */
export class Reach implements FrameWatch {
  readonly #written: NonNullable<SendOptions["written"]>;
  #open = 1;
  #clients = 0;
  #missed = 0;

  constructor(written: NonNullable<SendOptions["written"]>) {
    this.#written = written;
  }

  /** So many clients more. */
  open(clients = 1): void {
    this.#open += clients;
  }

  settled(written: boolean): void {
    if (written) this.#clients++;
    else this.#missed++;
    this.close();
  }

  /** One client less; called once more when all are known. */
  close(): void {
    if (--this.#open === 0) this.#written(this.#clients, this.#missed);
  }
}

/** One broadcast on the bus: data, encoded when the first client is found, once for all of them that read the same form. */
export class BroadcastMessage {
  readonly topic: string;
  readonly event: string;
  /** Where it stands in the log of its topic; 0 when that has none. */
  readonly offset: number;
  readonly options: SendOptions;
  readonly slow: SendOptions["slow"];
  readonly maxWaitMs: number;
  readonly reach: Reach | undefined;
  /** Who is waited for. */
  readonly waits: Promise<void>[] = [];
  /** What the payload carries under `"~"`; bytes carry nothing. */
  readonly meta: object | undefined;
  #object: object | undefined;
  #encoded: Payload | undefined;
  #keyed: object | undefined = undefined;
  #key = "";
  #v1: Buffer | undefined = undefined;
  #v2: Buffer | undefined = undefined;

  /** What a program says, whatever its types have let through; bytes are not changed before they are sent. @throws SLUICE_PAYLOAD_REFUSED */
  static said(
    topic: string,
    event: string,
    payload: object,
    options: SendOptions = noOptions,
  ): BroadcastMessage {
    if (typeof payload !== "object" || payload === null)
      throw payloadRefused(topic, event, notPlain);
    return new BroadcastMessage(topic, event, payload, undefined, options, 0);
  }

  /** What was said on another node, or stands in a log at an offset: the JSON text of an object. */
  static written(
    topic: string,
    event: string,
    json: string,
    options: SendOptions = noOptions,
    offset = 0,
  ): BroadcastMessage {
    return new BroadcastMessage(topic, event, undefined, json, options, offset);
  }

  private constructor(
    topic: string,
    event: string,
    object: object | undefined,
    json: string | undefined,
    options: SendOptions,
    offset: number,
  ) {
    this.topic = topic;
    this.event = event;
    this.#object = object;
    this.#encoded = json;
    this.options = options;
    this.offset = offset;
    this.slow = options.slow;
    this.maxWaitMs = options.maxWaitMs ?? 1_000;
    this.meta = offset === 0 ? options.meta : { ...options.meta, offset };
    this.reach = options.written === undefined ? undefined : new Reach(options.written);
  }

  get payload(): object {
    return (this.#object ??= JSON.parse(this.#encoded as string) as object);
  }

  /** About as many bytes as its payload takes; nothing before it is encoded. */
  get bytes(): number {
    return this.#encoded?.length ?? 0;
  }

  /** Is the payload bytes? */
  get isBytes(): boolean {
    return isBytes(this.#object);
  }

  /** What a newer message has in common with it under a policy, which is asked once: users' code may throw. */
  keyOf(policy: LatestPolicy): string {
    if (this.#keyed !== policy) {
      this.#key = keyOf(policy, this.topic, this.payload);
      this.#keyed = policy;
    }
    return this.#key;
  }

  /** The payload as it is sent. @throws SLUICE_PAYLOAD_REFUSED */
  encoded(limits: Limits): Payload {
    return (this.#encoded ??= encodePayload(this.topic, this.event, this.payload, limits));
  }

  /** The frame as clients of a serializer under a policy get it; they take bytes, if it is bytes. @throws SLUICE_PAYLOAD_REFUSED */
  frame(serializer: Serializer, policy: SlowPolicy<unknown> | "wait", limits: Limits): Outgoing {
    const bytes =
      serializer.form === "v2"
        ? (this.#v2 ??= this.#encode(serializer, limits))
        : (this.#v1 ??= this.#encode(serializer, limits));
    return outgoing(bytes, policy, (latest) => this.keyOf(latest), this.reach);
  }

  /** The frame of the one client whose channel has seen something else in it, which is written already. @throws SLUICE_PAYLOAD_REFUSED */
  frameOf(
    seen: object,
    written: Payload,
    serializer: Serializer,
    policy: SlowPolicy<unknown> | "wait",
  ): Outgoing {
    const { topic, reach } = this;
    return outgoing(
      this.#framed(serializer, written),
      policy,
      (latest) => keyOf(latest, topic, seen),
      reach,
    );
  }

  #encode(serializer: Serializer, limits: Limits): Buffer {
    return this.#framed(serializer, this.encoded(limits));
  }

  #framed(serializer: Serializer, written: Payload): Buffer {
    return messageFrame(serializer.broadcast(this.topic, this.event, marked(written, this.meta)));
  }
}

/** A payload with what the runtime adds under `"~"`; bytes are as they are. */
function marked(payload: Payload, meta: object | undefined): Payload {
  return meta === undefined || typeof payload !== "string"
    ? payload
    : withMeta(payload, JSON.stringify(meta));
}

const noOptions: SendOptions = {};

type LatestPolicy = Extract<SlowPolicy<unknown>, object>;

/** What broadcasts have in common of which a slow client needs only the newest. */
function keyOf(policy: LatestPolicy, topic: string, payload: unknown): string {
  return `${topic}\u0000${policy.latest(payload)}`;
}

/** A broadcast's frame, to be treated by its topic's policy. */
function outgoing(
  bytes: Buffer,
  policy: SlowPolicy<unknown> | "wait",
  key: (policy: LatestPolicy) => string,
  watch?: FrameWatch,
): Outgoing {
  if (typeof policy === "object") return new Outgoing(bytes, "latest", key(policy), watch);
  const kind: FrameKind = policy === "dropOldest" ? "droppable" : "kept";
  return new Outgoing(bytes, kind, "", watch);
}
