import type { AnyDefinition } from "../any-definition.ts";
import type { BroadcastMessage } from "./broadcast.ts";
import type { Limits } from "../limits.ts";
import type { Membership } from "../socket/membership.ts";
import type { SendingHalf } from "../socket/sending-half.ts";
import { Outgoing } from "../socket/outbox.ts";
import type { Serializer } from "../wire/serializer.ts";
import { tellRefused } from "../tell-refused.ts";
import { concat } from "./shared-run.ts";

/** A run as clients of one form get it. */
interface Framed {
  /** Nothing for bytes that they do not take. */
  readonly each: readonly (Outgoing | undefined)[];
  /** All in one, once it was asked for; nothing if some may be given up alone, or are waited for. */
  whole: Outgoing | "not yet" | undefined;
}

/** Broadcasts of one topic, one behind the other, on their way to all of its members. */
export class BroadcastRun {
  /** Broadcasts of the topic before it. */
  readonly start: number;
  /** What was said when it was complete. */
  next: BroadcastRun | undefined = undefined;
  readonly #definition: AnyDefinition;
  readonly #messages: BroadcastMessage[] = [];
  readonly #framed: { [form in Serializer["form"]]?: Framed } = {};
  /** What waits here, more or less. */
  bytes = 0;

  constructor(definition: AnyDefinition, start: number) {
    this.#definition = definition;
    this.start = start;
  }

  /** Broadcasts of the topic up to here. */
  get end(): number {
    return this.start + this.#messages.length;
  }

  push(message: BroadcastMessage, bytes: number): void {
    this.#messages.push(message);
    this.bytes += bytes;
  }

  /**
   * Sends what the member has not had. The frames are made for the first client of a form, when the run is complete or it
   * is late. What is sent counts before it is: whoever hears of that may speak at once.
   */
  send(client: SendingHalf, member: Membership): void {
    const { limits } = client;
    const framed = this.#framesFor(client.serializer, limits);
    const { each } = framed;
    const end = this.start + each.length;
    if (member.handed === this.start && each.length > 1) {
      if (framed.whole === "not yet") framed.whole = joined(each);
      const { whole } = framed;
      if (whole !== undefined && whole.bytes.length <= limits.maxPendingBytes / 4) {
        member.handed = end;
        return client.takeLast(whole);
      }
    }
    const isOne = member.handed === end - 1;
    while (member.handed < end) {
      const at = member.handed++ - this.start;
      const message = this.#messages[at]!;
      const frame = each[at];
      if (frame === undefined) bytesMissed(message, this.#definition);
      else if (message.slow === "wait") {
        const wait = client.takeWaiting(frame, message.maxWaitMs);
        if (wait !== undefined) message.waits.push(wait);
      } else if (isOne) client.takeLast(frame);
      else client.take(frame);
    }
  }

  #framesFor(serializer: Serializer, limits: Limits): Framed {
    const framed = this.#framed[serializer.form];
    if (framed?.each.length === this.#messages.length) return framed;
    const each = this.#messages.map((message) => {
      if (message.isBytes && !serializer.takesBytes) return undefined;
      return message.frame(serializer, message.slow ?? this.#definition.slow, limits);
    });
    const isAwaited = this.#messages.some(({ slow }) => slow === "wait");
    const whole = isAwaited ? undefined : "not yet";
    return (this.#framed[serializer.form] = { each, whole });
  }
}

function joined(frames: readonly (Outgoing | undefined)[]): Outgoing | undefined {
  const kept = frames.filter((frame) => frame?.kind === "kept") as Outgoing[];
  if (kept.length < frames.length) return undefined;
  const watches = kept.flatMap(({ watch }) => watch ?? []);
  const settled = (written: boolean): void => {
    for (const watch of watches) watch.settled(written);
  };
  return new Outgoing(concat(kept), "kept", "", watches.length === 0 ? undefined : { settled });
}

/** A client that cannot be sent bytes misses this broadcast, and it alone: it could not stop what others are told. */
export function bytesMissed({ event, reach }: BroadcastMessage, { pattern }: AnyDefinition): void {
  tellRefused(`${event} on ${pattern}`, "bytes for a client that takes none");
  reach?.settled(false);
}
