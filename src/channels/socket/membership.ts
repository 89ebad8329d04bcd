import type { Cell } from "../../process/internal.ts";
import { crashed, joined } from "../../telemetry/internal.ts";
import type { AnyDefinition } from "../any-definition.ts";
import type { BroadcastMessage } from "../fan-out/broadcast.ts";
import type { SendingHalf } from "./sending-half.ts";
import type { Place } from "./dispatch.ts";
import type { EndpointWorld } from "../server/endpoint-world.ts";
import { frameForOne } from "../wire/frame.ts";
import { Outgoing } from "./outbox.ts";
import { encodePayload, encodeResponse } from "../wire/payload.ts";
import type { Incoming, Serializer, Wire, WireRef } from "../wire/serializer.ts";
import { tellOne } from "../fan-out/topic-subscribers.ts";

/** The socket that a topic is joined by, as its channels see it. */
export interface SocketSide {
  readonly client: SendingHalf;
  readonly world: EndpointWorld;
  readonly assigns: unknown;
  readonly id: string | undefined;
  /** Nothing waits that would be answered next: no word of its client, and no message to its channels. */
  readonly isAtRest: boolean;
  /** A join was answered with ok. */
  joined(): void;
  /** A join came to nothing, by a fault of its client. */
  joinFailed(): void;
}

/** One client's place in one topic: what its socket, its channel and the topic's subscribers share. */
export class Membership implements Place {
  readonly socket: SocketSide;
  readonly definition: AnyDefinition;
  /** One text for all of its members, once it is heard. */
  topic: string;
  readonly key: string;
  readonly joinRef: WireRef;
  /** The message it comes from, until that is answered. */
  join: Incoming | undefined;
  state: "joining" | "joined" | "leaving" | "ended" = "joining";
  wasJoined = false;
  /** Its channel, once it is started. */
  cell: Cell | undefined = undefined;
  /** The channel whose end it waits for before it starts its own. */
  after: Cell | undefined = undefined;
  /** The client's words that it leaves, while there is no channel to hear them. */
  left: readonly Incoming[] | undefined = undefined;
  /** Joins of the same client that this one took the place of: they are closed when this one is answered. */
  replaced: readonly WireRef[] | undefined = undefined;
  /** Events of the client that are not answered yet. */
  unfinished = 0;
  /** So many broadcasts of its topic it has had, or they are not for it. The topic's. */
  handed = 0;
  /** Broadcasts that wait for its channel to see them. */
  unseen = 0;
  #isLost = false;
  /** When the join was read, if anybody wants to know. */
  readonly #joinAtMs: number | undefined;

  constructor(socket: SocketSide, definition: AnyDefinition, key: string, join: Incoming) {
    this.socket = socket;
    this.definition = definition;
    this.topic = join.topic;
    this.key = key;
    const { namesJoins } = socket.client.serializer;
    this.joinRef = join.joinRef ?? (namesJoins ? join.ref : null);
    this.join = join;
    this.#joinAtMs = joined.active ? socket.world.system.runtime.now() : undefined;
  }

  get ended(): boolean {
    return this.state === "ended";
  }

  /** Is there a client that hears it? */
  get isHeard(): boolean {
    return this.state === "joined" || this.state === "leaving";
  }

  /** Answers a message. @throws SLUICE_PAYLOAD_REFUSED */
  reply(joinRef: WireRef, ref: WireRef, status: "ok" | "error", response: unknown): void {
    this.#reply(joinRef, ref, status, response, false);
  }

  /** Answers the join of a topic without history. @throws SLUICE_PAYLOAD_REFUSED */
  accept({ joinRef, ref }: Incoming, response: unknown): void {
    const isAlone = this.definition.callbacks.joined === undefined && this.replaced === undefined;
    this.#reply(joinRef, ref, "ok", response, isAlone && this.socket.isAtRest);
  }

  /** Answers an event. @throws SLUICE_PAYLOAD_REFUSED */
  answer({ joinRef, ref }: Incoming, status: "ok" | "error", response: unknown): void {
    this.#reply(joinRef, ref, status, response, this.socket.isAtRest);
    this.unfinished--;
  }

  /** Answers the join, or another message, with JSON text. */
  replyText(joinRef: WireRef, ref: WireRef, status: "ok" | "error", json: string): void {
    this.#send(this.#serializer.reply(joinRef, ref, this.topic, status, json));
  }

  /** Tells this client alone. @throws SLUICE_PAYLOAD_REFUSED */
  push(event: string, payload: object): void {
    const { topic, joinRef } = this;
    const encoded = encodePayload(topic, event, payload, this.socket.world.limits);
    this.#send(this.#serializer.push(joinRef, topic, event, encoded));
  }

  /** The reply to the join is out, or queued: from now on the topic is heard. */
  enter(): void {
    this.answered();
    this.socket.world.fanOut.enter(this);
  }

  /** The reply to the join is queued, and the log will tell when the topic is heard. */
  answered(): void {
    this.state = "joined";
    this.wasJoined = true;
    this.#tellJoined("ok");
    this.join = undefined;
    this.#closeReplaced();
    this.socket.joined();
  }

  /** From now on the log of the topic is heard, beginning with what was held meanwhile. */
  hear(held: readonly BroadcastMessage[]): void {
    this.socket.world.fanOut.enter(this);
    for (const message of held) if (this.state === "joined") tellOne(this, message);
  }

  /** It has missed something of the log of its topic: its client is to join again, with its place. */
  rejoin(): void {
    this.socket.world.fanOut.leave(this);
    this.#isLost = true;
    this.cell?.stop({ shutdown: "history" });
  }

  /** The join was answered with an error, `counts` if by a fault of the client. */
  refused(counts = true): void {
    this.state = "ended";
    this.#tellJoined("error");
    this.#closeReplaced();
    if (counts) this.socket.joinFailed();
  }

  /** The client wants no more; its channel may still have something to say. */
  leave(): void {
    this.state = "leaving";
    this.socket.world.fanOut.leave(this);
  }

  /** The new join of the same topic sends this one's `phx_close` after its own reply. */
  replacedBy(other: Membership): void {
    const own = this.state === "ended" ? [] : [this.joinRef];
    other.replaced = [...(this.replaced ?? []), ...own];
    other.after = this.cell ?? this.after;
    this.replaced = undefined;
    this.state = "ended";
    this.socket.world.fanOut.leave(this);
    for (const { joinRef, ref } of this.left ?? []) this.replyText(joinRef, ref, "ok", "{}");
  }

  /** Its channel is gone: sends `phx_close`, or `phx_error` with the id of the crash, unless one was sent. */
  end(isOrderly: boolean, id?: string): void {
    const { state } = this;
    this.socket.world.fanOut.leave(this);
    if (!isOrderly && crashed.active) {
      const { endpoint, pattern } = this.definition;
      crashed.emit({ endpoint, pattern, wasJoined: this.wasJoined, id });
    }
    if (state === "joining") {
      const { joinRef, ref } = this.join!;
      this.reply(joinRef, ref, "error", { reason: "join crashed", id });
      this.refused(false);
    } else if (state !== "ended") {
      this.state = "ended";
      const { joinRef, topic } = this;
      const serializer = this.#serializer;
      this.#send(
        isOrderly && !this.#isLost
          ? serializer.close(joinRef, topic)
          : serializer.crash(joinRef, topic, id),
      );
    }
  }

  /** The join is answered; of one whose client did not wait there is nothing to tell. */
  #tellJoined(status: "ok" | "error"): void {
    const { client, world } = this.socket;
    if (this.#joinAtMs === undefined || !joined.active || client.isClosed) return;
    const { endpoint, pattern } = this.definition;
    const durationMs = world.system.runtime.now() - this.#joinAtMs;
    joined.emit({ endpoint, pattern, status, durationMs });
  }

  #closeReplaced(): void {
    if (this.replaced === undefined) return;
    for (const joinRef of this.replaced) this.#send(this.#serializer.close(joinRef, this.topic));
    this.replaced = undefined;
  }

  /** @param isLast is nothing more likely to be said at once? That would go into the same write. */
  #reply(
    joinRef: WireRef,
    ref: WireRef,
    status: "ok" | "error",
    response: unknown,
    isLast: boolean,
  ): void {
    const { topic, socket } = this;
    const { client, world } = socket;
    const encoded = encodeResponse(topic, response, world.limits);
    const wire = client.serializer.reply(joinRef, ref, topic, status, encoded);
    const frame = new Outgoing(frameForOne(wire), "kept");
    if (isLast) client.sendLast(frame);
    else client.send(frame);
  }

  get #serializer(): Serializer {
    return this.socket.client.serializer;
  }

  #send(wire: Wire): void {
    this.socket.client.send(new Outgoing(frameForOne(wire), "kept"));
  }
}
