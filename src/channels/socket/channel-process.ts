import { isOrderly, type ExitReason } from "../../support/internal.ts";
import {
  State,
  cellOf,
  ownOf,
  planOf,
  type Cell,
  type Engine,
  type Message,
  type Plan,
} from "../../process/internal.ts";
import { Process } from "../../process/index.ts";
import type { AnyDefinition } from "../any-definition.ts";
import type { BroadcastMessage } from "../fan-out/broadcast.ts";
import { ClientEvent } from "./client-event.ts";
import { ChannelKind, type ClientMessage, type InterceptMessage } from "./channel-message.ts";
import type { Position } from "../contract.ts";
import { takeSince } from "../history/history-bounds.ts";
import {
  enterWithHistory,
  historyUnavailable,
  readHistory,
  tellUnavailable,
} from "../history/history-join.ts";
import { UntoldPlace } from "../history/untold-place.ts";
import { joinConfirmed } from "./join-confirmed.ts";
import { crash, runCallback } from "./run-callback.ts";
import { JoinedTopic } from "./joined-topic.ts";
import type { Membership } from "./membership.ts";
import { checkReserved, encodeObject, encodePayload, isBytes } from "../wire/payload.ts";
import { reasonOf } from "../refused.ts";
import type { SchemaResult } from "../schema.ts";
import type { Incoming } from "../wire/serializer.ts";
import { invalidPayload, tellInvalid } from "../tell-invalid.ts";
import { bytesMissed } from "../fan-out/broadcast-run.ts";

const plans = new WeakMap<AnyDefinition, Plan>();

/** How channels of a definition are made. */
export function channelPlan(definition: AnyDefinition): Plan {
  let plan = plans.get(definition);
  if (plan === undefined)
    plans.set(definition, (plan = planOf(ChannelProcess, {}, `channel ${definition.pattern}`)));
  return plan;
}

/** The engine of one joined topic of one client: runs the definition's callbacks, one at a time, and answers. */
class ChannelProcess extends Process implements Engine {
  readonly role = "channel";
  readonly #cell: Cell;
  readonly #membership: Membership;
  readonly #joined: JoinedTopic;
  #untold: UntoldPlace | undefined = undefined;

  constructor(membership: Membership) {
    super();
    this.#cell = cellOf(this);
    this.#cell.engine = this;
    this.#membership = membership;
    this.#joined = new JoinedTopic(this.#cell, membership);
  }

  receive(message: Message): unknown {
    switch (message.kind) {
      case ChannelKind.join:
        return this.#join((message as ClientMessage).incoming);
      case ChannelKind.event:
        return new ClientEvent(
          this.#cell,
          this.#joined,
          this.#membership,
          (message as ClientMessage).incoming,
        ).run();
      case ChannelKind.leave:
        return this.#leave((message as ClientMessage).incoming);
      case ChannelKind.gone:
        return this.#cell.stop({ shutdown: "closed" });
      case ChannelKind.broadcast:
        return this.#intercept((message as InterceptMessage).broadcast);
      default:
        return undefined;
    }
  }

  /** The client has left or is gone, or the server stops; not after a crash, and not for one that has not joined. */
  protected override terminate(reason: ExitReason): void | Promise<void> {
    const { leave } = this.#membership.definition.callbacks;
    if (leave === undefined || !isOrderly(reason) || !this.#membership.wasJoined) return undefined;
    return leave(this.#joined) as void | Promise<void>;
  }

  /** What nobody has heard is answered as if it had come after the end; a crash is answer enough. */
  exited(reason: ExitReason): void {
    const membership = this.#membership;
    membership.socket.world.fanOut.leave(membership);
    const answers = !membership.wasJoined || isOrderly(reason);
    for (let message = this.#cell.head; message !== undefined; message = message.next) {
      if (message.kind === ChannelKind.broadcast)
        (message as InterceptMessage).broadcast.reach?.settled(false);
      if (answers && message.kind === ChannelKind.leave) this.#reply(message, "ok", {});
      if (answers && message.kind === ChannelKind.event)
        this.#reply(message, "error", { reason: "unmatched topic" });
    }
  }

  #join(incoming: Incoming): unknown {
    const { definition } = this.#membership;
    const { params, since } =
      definition.history === undefined
        ? { params: incoming.payload, since: undefined }
        : takeSince(incoming.payload);
    const schema = definition.schema("join");
    if (schema === undefined) return this.#ask(incoming, params, since);
    return runCallback(
      this.#cell,
      () => schema["~standard"].validate(params),
      (result: SchemaResult<unknown>) => {
        if (result.issues === undefined) return this.#ask(incoming, result.value, since);
        tellInvalid(definition, "join", result.issues, params);
        return this.#refuseJoin(incoming, invalidPayload);
      },
      crash,
    );
  }

  /** May it be joined? */
  #ask(incoming: Incoming, params: unknown, since: Position | undefined): unknown {
    const { join } = this.#membership.definition.callbacks;
    return runCallback(
      this.#cell,
      () => join(params, this.#joined),
      (result) => this.#accept(incoming, result, since),
      (error) => {
        const reason = reasonOf(error);
        if (reason === undefined) throw error;
        this.#refuseJoin(incoming, reason);
      },
    );
  }

  /** The topic is heard by this node first, then by the client. */
  #accept(incoming: Incoming, result: unknown, since: Position | undefined): unknown {
    const membership = this.#membership;
    if (membership.state !== "joining" || this.#isEnding) return undefined;
    const { callbacks } = membership.definition;
    const { assigns, reply } = joinResult(result);
    this.#joined.assigns = assigns;
    const topics = callbacks.subscribe?.(this.#joined) ?? [];
    for (const topic of topics)
      topic.subscribe(this.#joined as never, (message) => this.#info(message));
    const confirmed = joinConfirmed(membership, topics);
    const enter = (): unknown =>
      membership.definition.history === undefined
        ? this.#enter(incoming, reply)
        : this.#enterWithHistory(incoming, reply, since);
    return confirmed === undefined
      ? enter()
      : runCallback(this.#cell, () => confirmed, enter, crash);
  }

  /** One step: the reply goes out or is queued, then the topic is heard. So nothing of it comes before the reply, or is missed after it. */
  #enter(incoming: Incoming, reply: unknown): unknown {
    const membership = this.#membership;
    if (membership.state !== "joining" || this.#isEnding) return undefined;
    const { callbacks } = membership.definition;
    checkReserved(membership.topic, "phx_reply", reply);
    membership.accept(incoming, reply);
    membership.enter();
    return callbacks.joined?.(this.#joined);
  }

  /** The same where a log is to be read first; one that fails is no fault of the client. */
  #enterWithHistory(incoming: Incoming, reply: unknown, since: Position | undefined): unknown {
    const membership = this.#membership;
    return runCallback(
      this.#cell,
      () => readHistory(membership, since),
      (join) => {
        if (membership.state !== "joining" || this.#isEnding) return undefined;
        enterWithHistory(membership, incoming, reply, join, this.#joined);
        return membership.definition.callbacks.joined?.(this.#joined);
      },
      (error) => {
        if (membership.state === "joining" && !this.#isEnding) tellUnavailable(membership, error);
        this.#refuseJoin(incoming, historyUnavailable, false);
      },
    );
  }

  #refuseJoin(incoming: Incoming, reason: object, counts = true): void {
    const membership = this.#membership;
    if (membership.state !== "joining") return;
    membership.reply(incoming.joinRef, incoming.ref, "error", reason);
    membership.refused(counts);
    this.#cell.stop("normal");
  }

  /** The reply comes at once; `leave` runs, and may still push, before the client is told that it is over. */
  #leave({ joinRef, ref }: Incoming): void {
    const membership = this.#membership;
    membership.leave();
    membership.reply(joinRef, ref, "ok", {});
    this.#cell.stop({ shutdown: "left" });
  }

  /** An answer to what comes after the end: of no join any more. */
  #reply(message: Message, status: "ok" | "error", response: object): void {
    const { joinRef, ref } = (message as ClientMessage).incoming;
    this.#membership.reply(status === "ok" ? joinRef : null, ref, status, response);
  }

  #info(message: unknown): void | Promise<void> {
    return this.#membership.definition.callbacks.info?.(message, this.#joined) as void;
  }

  #intercept(message: BroadcastMessage): void {
    const membership = this.#membership;
    const { definition, topic, socket } = membership;
    const { reach, event } = message;
    membership.unseen--;
    try {
      const see = definition.interceptor(event);
      const seen =
        see === undefined
          ? message.payload
          : (see(message.payload, this.#joined) as object | undefined);
      if (membership.state !== "joined") return reach?.settled(false);
      if (message.offset > 0) this.#place(message.offset, seen === undefined);
      if (seen === undefined) return reach?.settled(false);
      const { client, world } = socket;
      const { serializer } = client;
      if (isBytes(seen) && !serializer.takesBytes) return bytesMissed(message, definition);
      const { slow = definition.slow } = message;
      const write = definition.history === undefined ? encodePayload : encodeObject;
      const frame =
        seen === message.payload
          ? message.frame(serializer, slow, world.limits)
          : message.frameOf(seen, write(topic, event, seen, world.limits), serializer, slow);
      if (slow === "wait") void client.sendWaiting(frame, message.maxWaitMs);
      else client.send(frame);
    } catch (error) {
      reach?.settled(false);
      throw error;
    }
  }

  #place(offset: number, isHidden: boolean): void {
    if (isHidden)
      (this.#untold ??= new UntoldPlace(this.#membership, ownOf(this.#cell))).hid(offset);
    else this.#untold?.showed();
  }

  get #isEnding(): boolean {
    return this.#cell.state !== State.running || this.#cell.stopReason !== undefined;
  }
}

/** What a `join` gave. @throws TypeError for anything without `assigns` */
function joinResult(result: unknown): { readonly assigns: unknown; readonly reply?: unknown } {
  if (typeof result === "object" && result !== null && "assigns" in result) return result;
  throw new TypeError("join must return { assigns } or { assigns, reply }, or throw Refused");
}
