import type { Slot, System } from "../runtime/internal.ts";
import { Histogram, type LatencySnapshot } from "../telemetry/index.ts";
import { delivered, received } from "../telemetry/internal.ts";

/** What has been delivered through one endpoint of this node, by `sink` and `deliver`, since the start. */
export interface DeliveryFigures {
  /** Messages handed over. */
  readonly messages: number;
  /** Client deliveries: a message that reached the sockets of three clients counts three. */
  readonly delivered: number;
  /** Messages for which nobody had joined. */
  readonly unheard: number;
  /** Client deliveries that came to nothing: the client was too slow, or left. */
  readonly dropped: number;
  /** From the entry into the pipeline until the message was written to its sockets, in ms. */
  readonly toSocket: LatencySnapshot;
  /**
   * From the entry into the pipeline until a client's receipt came back, in ms, on the server's clock: an upper bound of
   * when the client had it. Sampled, from clients that send receipts.
   */
  readonly toClient: LatencySnapshot;
}

/** What a message carries that asks for receipts. */
export interface Asked {
  readonly receipt: number;
  /** One in so many clients answers; absent: all. */
  readonly oneIn?: number;
}

/** A message whose receipt is awaited. */
interface Sample {
  readonly topic: string;
  readonly event: string;
  readonly enteredMs: number;
}

/** At most one message in this time asks for receipts: some ten a second measure as well as all. */
const samplingMs = 100;
/** Of more clients than this, chance chooses about so many to answer: a receipt must cost next to nothing. */
const answersWanted = 10;
/** Samples remembered; a receipt that comes later than this many samples counts no more. */
const samplesKept = 600;

/** Counts and measures what goes out through one endpoint. */
export class Meter {
  readonly toSocket: Histogram = new Histogram();
  readonly toClient: Histogram = new Histogram();
  readonly #samples: Map<number, Sample> = new Map();
  readonly #system: System;
  #nextSampleMs = -Infinity;
  messages = 0;
  delivered = 0;
  unheard = 0;
  dropped = 0;

  constructor(system: System) {
    this.#system = system;
  }

  /** Is it time that a message asks for receipts? */
  get isDue(): boolean {
    return this.#system.runtime.now() >= this.#nextSampleMs;
  }

  /** An id by which clients may answer that they have the message, and one in how many of them is to answer. */
  sample(topic: string, event: string, enteredMs: number, clients: number): Asked {
    this.#nextSampleMs = this.#system.runtime.now() + samplingMs;
    const receipt = this.#system.nextId();
    this.#samples.set(receipt, { topic, event, enteredMs });
    if (this.#samples.size > samplesKept) this.#samples.delete(this.#samples.keys().next().value!);
    const oneIn = Math.ceil(clients / answersWanted);
    return oneIn > 1 ? { receipt, oneIn } : { receipt };
  }

  /** The message is on the sockets of so many clients; so many more will not have it. */
  written(topic: string, event: string, enteredMs: number, clients: number, missed: number): void {
    this.messages++;
    this.dropped += missed;
    if (clients === 0) {
      if (missed === 0) this.unheard++;
      return;
    }
    this.delivered += clients;
    const latencyMs = this.#system.runtime.now() - enteredMs;
    this.toSocket.record(latencyMs);
    if (delivered.active) delivered.emit({ topic, event, latencyMs, clients });
  }

  /** A client has a message of this topic. */
  received(id: unknown, topic: string): void {
    const sample = typeof id === "number" ? this.#samples.get(id) : undefined;
    if (sample === undefined || sample.topic !== topic) return;
    const latencyMs = this.#system.runtime.now() - sample.enteredMs;
    this.toClient.record(latencyMs);
    if (received.active) received.emit({ topic, event: sample.event, latencyMs });
  }

  get figures(): DeliveryFigures {
    const { messages, delivered: sent, unheard, dropped, toSocket, toClient } = this;
    return {
      messages,
      delivered: sent,
      unheard,
      dropped,
      toSocket: toSocket.snapshot(),
      toClient: toClient.snapshot(),
    };
  }
}

/** The meters of a system, by endpoint. */
export const meters: Slot<Map<string, Meter>> = { key: "delivery.meters", create: () => new Map() };
