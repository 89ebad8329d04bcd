import { isOrderly, type ExitReason } from "../../support/internal.ts";
import {
  Cell,
  Kind,
  cellOf,
  stopCell,
  type ExitMessage,
  type Engine,
  type Message,
} from "../../process/internal.ts";
import { Process } from "../../process/index.ts";
import { closed, log } from "../../telemetry/internal.ts";
import {
  ChannelKind,
  ClientMessage,
  FrameMessage,
  GoneMessage,
  silence,
  type ConnectMessage,
} from "./channel-message.ts";
import { channelPlan } from "./channel-process.ts";
import { SendingHalf, type SendingOwner } from "./sending-half.ts";
import { decodeFrame } from "../wire/decoded.ts";
import { decide } from "./dispatch.ts";
import { Entrance } from "./entrance.ts";
import type { EndpointWorld } from "../server/endpoint-world.ts";
import { errorId } from "./error-id.ts";
import { pongFrame, type CloseCode } from "../wire/frame.ts";
import { Membership, type SocketSide } from "./membership.ts";
import type { Mount } from "../admission/mount.ts";
import { Outgoing } from "./outbox.ts";
import { Places } from "./places.ts";
import type { Incoming, Serializer } from "../wire/serializer.ts";
import { tellRefused } from "../tell-refused.ts";
import { SocketRates } from "../admission/socket-rates.ts";
import { reply, replyError } from "./socket-replies.ts";
import type { RightsOwner, SocketRights } from "../admission/socket-rights.ts";
import { matchTopic } from "../topic-pattern.ts";
import type { Peer, Transport } from "../transport/transport.ts";

/** What a client that is gone said last has this long to be handled. */
const lastWordsMs = 5_000;
/** Of more channels than these nobody asks with each answer whether one has a message: it would cost more than it gains. */
const mostAsked = 16;

/** The engine of one connection: lets it in, hands its messages to channels, and ends with it. */
export class SocketProcess
  extends Process
  implements Engine, Peer, SendingOwner, SocketSide, RightsOwner
{
  readonly role = "socket";
  readonly world: EndpointWorld;
  assigns: unknown = undefined;
  id: string | undefined = undefined;
  readonly #cell: Cell;
  readonly #mount: Mount;
  readonly #places: Places<Membership> = new Places();
  #client: SendingHalf | undefined = undefined;
  #rates: SocketRates | undefined = undefined;
  #rights: SocketRights | undefined = undefined;
  #channels = 0;
  #hasJoined = false;
  /** Its client says nothing more. */
  #isGone = false;
  /** Nor is there a line any more, to say goodbye on. */
  #isLineOver = false;
  /** The sweep at which it came, and that at which it was last heard. */
  readonly #bornAt: number;
  #heardAt: number;

  constructor(mount: Mount) {
    super();
    this.#cell = cellOf(this);
    this.#cell.engine = this;
    this.#mount = mount;
    this.world = mount.world;
    this.#bornAt = this.#heardAt = mount.world.sweeps.count;
  }

  /** The sending half; there once it is let in, and so before any channel. */
  get client(): SendingHalf {
    return this.#client!;
  }

  get isAtRest(): boolean {
    const { head, children } = this.#cell;
    if (head !== undefined || this.#channels > mostAsked) return false;
    for (let channel = children?.eldest; channel !== undefined; channel = channel.younger)
      if (channel.head !== undefined) return false;
    return true;
  }

  /** It is let in: from now on there is a client, and whatever is said to it goes there. */
  letIn(transport: Transport, serializer: Serializer, rights: SocketRights | undefined): void {
    this.#client = new SendingHalf(this.world, transport, this, serializer);
    this.#rights = rights;
  }

  receive(message: Message): unknown {
    switch (message.kind) {
      case ChannelKind.connect:
        return new Entrance(
          this,
          this.#cell,
          this.#mount,
          (message as ConnectMessage).attempt,
        ).connect();
      case ChannelKind.frame:
        return this.#hear(message as FrameMessage);
      case ChannelKind.gone:
        return this.#clientGone();
      case Kind.childExit:
        return this.#channelGone(message as ExitMessage);
      default:
        return undefined;
    }
  }

  /** The endpoint stops: channels run their `leave`. */
  protected override terminate(): void | Promise<void> {
    this.#client?.close(1012, "the server restarts");
    const channels = [...(this.#cell.children ?? [])];
    if (channels.length === 0) return undefined;
    return Promise.all(channels.map((channel) => stopCell(channel, "shutdown", undefined))).then(
      () => {},
    );
  }

  exited(reason: ExitReason): void {
    const client = this.#client;
    this.world.registry.remove(this);
    this.#rights?.close();
    if (client === undefined) return;
    client.close(isOrderly(reason) ? 1012 : 1011, "");
    if (this.#isLineOver) return;
    // Whoever has not answered a close by now is cut off; of a crash it is only told now.
    if (isOrderly(reason)) client.transport.destroy();
    else this.world.closing.add(client.transport);
  }

  // What the transport tells.

  text(text: string, bytes: number): void {
    this.#heard(text, bytes);
  }

  binary(bytes: Uint8Array): void {
    this.#heard(bytes, bytes.length);
  }

  ping(payload: Uint8Array): void {
    if (this.#verdict(payload.length) === "passes")
      this.client.send(new Outgoing(pongFrame(payload), "urgent"));
  }

  writable(): void {
    this.client.writable();
  }

  broken(code: CloseCode, reason: string): void {
    tellRefused("message", reason);
    if (closed.active && !this.client.isClosed) closed.emit({ code, reason });
    this.#saysNoMore();
  }

  gone(): void {
    this.#isLineOver = true;
    this.world.closing.delete(this.client.transport);
    this.#saysNoMore();
  }

  // What the sending half tells.

  /** Channels end now: what the client said last is not for a line that was closed on it. */
  closing(): void {
    for (const place of this.#places.values()) this.#giveUp(place, "disconnected");
  }

  // What channels tell.

  joined(): void {
    this.#hasJoined = true;
  }

  joinFailed(): void {
    if (this.#rates?.failedJoin(this.world.system.runtime.now()) === false)
      this.#closeFor(1008, "too many failed joins");
  }

  // What its rights ask.

  ended(reason: string): void {
    this.client.close(4003, reason);
  }

  // What the endpoint asks.

  /** Deadlines, looked at once per sweep. */
  sweep(): void {
    const { limits, sweeps } = this.world;
    const client = this.#client;
    const polls = client?.transport.sweep?.(sweeps.ms);
    if (polls === true && !this.#isGone) this.#heardAt = sweeps.count;
    const born = (sweeps.count - this.#bornAt) * sweeps.ms;
    if (client === undefined) {
      // A `connect` that hangs holds neither its client nor the place.
      if (born > limits.joinWithinMs) this.#cell.kill("shutdown");
      return;
    }
    if (this.#isGone) {
      if ((sweeps.count - this.#heardAt) * sweeps.ms > lastWordsMs) this.closing();
    } else if (client.isClosed) return;
    else if (client.blockedSweeps >= 0 && ++client.blockedSweeps * sweeps.ms > limits.stallMs)
      client.close(4008, "slow consumer");
    else if (!this.#hasJoined && born > limits.joinWithinMs)
      client.close(4001, "nothing was joined");
    else if (polls === false || (sweeps.count - this.#heardAt) * sweeps.ms > limits.idleMs)
      client.close(1001, "idle");
    else this.#rights?.sweep();
  }

  /** Has everything it heard been answered, and gone out as far as its client takes it? */
  isDone(): boolean {
    if (this.#cell.head !== undefined) return false;
    for (const { state, unfinished } of this.#places.values())
      if (state === "joining" || unfinished > 0) return false;
    return this.client.flushNow();
  }

  #heard(data: string | Uint8Array, bytes: number): void {
    const verdict = this.#verdict(bytes);
    if (verdict !== "tooMany") this.#cell.send(new FrameMessage(data, verdict === "refused"));
  }

  #hear({ data, isOver }: FrameMessage): void {
    const { serializer, isClosed } = this.client;
    if (isClosed) return;
    const decoded = decodeFrame(serializer, data, this.world.limits);
    if (decoded.kind === "undecodable") return this.#closeFor(1011, decoded.reason);
    if (decoded.kind === "refused") {
      replyError(this, decoded, decoded.reason);
      if (!this.#rates!.strike()) this.#closeFor(1008, "too many strikes");
    } else if (isOver) replyError(this, decoded.message, "too many messages");
    else this.#dispatch(decoded.message);
  }

  #dispatch(incoming: Incoming): void {
    const { topic, event } = incoming;
    const joins = event === "phx_join";
    const match = joins ? matchTopic(this.#mount.definitions, topic) : undefined;
    const { maxChannels } = this.world.limits;
    const decision = decide(incoming, this.#places, match !== undefined, maxChannels);
    switch (decision.kind) {
      case "heartbeat":
        return reply(this, { ...incoming, joinRef: null }, "ok", {}, "urgent");
      case "join":
        return this.#join(
          new Membership(this, match!.pattern, match!.key, incoming),
          decision.replaces,
        );
      case "deliver":
        return this.#deliver(decision.place, incoming);
      case "leave":
        return this.#leave(decision.place, incoming);
      case "left":
        return reply(this, incoming, "ok", {});
      case "tooMany":
        return replyError(this, incoming, "too many channels joined");
      case "unmatched":
        replyError(this, { ...incoming, joinRef: null }, "unmatched topic");
        if (joins) this.joinFailed();
        return undefined;
      case "stale":
        return undefined;
      default:
        return decision satisfies never;
    }
  }

  #join(membership: Membership, replaces: Membership | undefined): void {
    const waitMs = this.#rates!.join(this.world.system.runtime.now());
    if (waitMs > 0) {
      const response = { reason: "too many joins", retryAfterMs: waitMs };
      return reply(this, membership.join!, "error", response);
    }
    this.#places.set(membership);
    if (replaces !== undefined) {
      replaces.replacedBy(membership);
      replaces.cell?.stop({ shutdown: "duplicate_join" });
    }
    if (membership.after === undefined) this.#start(membership);
  }

  #start(membership: Membership): void {
    const { definition, join } = membership;
    const channel = new Cell(this.world.system, channelPlan(definition), this.#cell, [membership]);
    channel.note = membership;
    membership.cell = channel;
    this.#channels++;
    channel.begin();
    channel.send(new ClientMessage(ChannelKind.join, join!));
    for (const incoming of membership.left ?? []) this.#leave(membership, incoming);
  }

  /** One that waits for the end of another is left as soon as it is joined. */
  #leave(membership: Membership, incoming: Incoming): void {
    if (membership.cell === undefined) membership.left = [...(membership.left ?? []), incoming];
    else membership.cell.send(new ClientMessage(ChannelKind.leave, incoming));
  }

  #deliver(membership: Membership, incoming: Incoming): void {
    const { cell, topic } = membership;
    if (incoming.event === "~receipt" && membership.isHeard) {
      this.world.record.received(topic, incoming.payload);
      // The stock client keeps a timer for each push until it is answered.
      return membership.reply(incoming.joinRef, incoming.ref, "ok", {});
    }
    if (cell === undefined)
      return replyError(this, { ...incoming, joinRef: null }, "unmatched topic");
    // A channel that hangs holds up nothing but itself.
    if (membership.unfinished >= this.world.limits.maxUnfinishedPushes)
      return replyError(this, incoming, "too many unfinished");
    membership.unfinished++;
    cell.send(new ClientMessage(ChannelKind.event, incoming));
  }

  #channelGone({ from: child, content: reason }: ExitMessage): void {
    const cell = child as Cell;
    this.#channels--;
    const membership = cell.note as Membership;
    const isTold = !isOrderly(reason) && !this.client.isClosed;
    const id = isTold ? errorId(this.world.system.runtime) : undefined;
    if (isTold) log("error", `${cell.pid} crashed (error ${id})`, reason);
    membership.end(isOrderly(reason), id);
    const place = this.#places.get(membership.topic);
    if (place === membership) this.#places.delete(membership.topic);
    else if (place?.after === cell && !this.client.isClosed) {
      place.after = undefined;
      this.#start(place);
    }
    this.#endIfDone();
  }

  /** Channels hear of it behind what the client said last; one that is being joined need not be. */
  #clientGone(): void {
    if (this.#isGone) return this.#endIfDone();
    this.#isGone = true;
    this.#heardAt = this.world.sweeps.count;
    for (const place of this.#places.values())
      if (place.state === "joining") this.#giveUp(place, "closed");
      else place.cell?.send(new ClientMessage(ChannelKind.gone, silence));
    this.#endIfDone();
  }

  /** Its channel ends. One that is being joined may wait for the log of its topic, which may take long. */
  #giveUp(place: Membership, why: string): void {
    place.cell?.stop({ shutdown: why });
    if (place.state === "joining") this.world.record.log.leave(place);
  }

  #endIfDone(): void {
    if (this.#isGone && this.#isLineOver && this.#channels === 0) this.#cell.stop("normal");
  }

  /** Something came: may it be handled? One that comes too late, or is too many, is not. */
  #verdict(bytes: number): ReturnType<SocketRates["message"]> {
    if (this.client.isClosed) return "tooMany";
    const { limits, sweeps, system } = this.world;
    this.#heardAt = sweeps.count;
    const nowMs = system.runtime.now();
    this.#rates ??= new SocketRates(limits, nowMs);
    const verdict = this.#rates.message(bytes, nowMs);
    if (verdict === "tooMany") this.#closeFor(1008, "too many messages");
    return verdict;
  }

  #saysNoMore(): void {
    this.client.dispose();
    this.#cell.send(new GoneMessage());
  }

  #closeFor(code: CloseCode, reason: string): void {
    tellRefused("message", reason);
    this.client.close(code, reason);
  }
}
