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
import { invalid } from "../../telemetry/internal.ts";
import type { AnyDefinition } from "../any-definition.ts";
import type { BroadcastMessage } from "../fan-out/broadcast.ts";
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
import { runCallback } from "./run-callback.ts";
import { JoinedTopic } from "./joined-topic.ts";
import { LaterReply } from "./later-reply.ts";
import type { Membership } from "./membership.ts";
import { checkReserved, encodeObject, encodePayload, isBytes } from "../wire/payload.ts";
import { invalidOf } from "../invalid.ts";
import { reasonOf } from "../refused.ts";
import type { SchemaResult } from "../schema.ts";
import type { Incoming } from "../wire/serializer.ts";
import { tellRefused } from "../tell-refused.ts";
import { bytesMissed } from "../fan-out/broadcast-run.ts";

const plans = new WeakMap<AnyDefinition, Plan>();
const invalidPayload = { reason: "invalid payload" };

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
        return this.#event((message as ClientMessage).incoming);
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
    const { join } = this.#membership.definition.callbacks;
    const refuse = (reason: object): void => this.#refuseJoin(incoming, reason);
    const { params: sent, since } =
      this.#membership.definition.history === undefined
        ? { params: incoming.payload, since: undefined }
        : takeSince(incoming.payload);
    return this.#checked("join", sent, refuse, (params) =>
      this.#refusable(
        () => join(params, this.#joined),
        (result) => this.#accept(incoming, result, since),
        refuse,
      ),
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
      : runCallback(this.#cell, () => confirmed, enter, notConfirmed);
  }

  /** One step: the reply is queued, then the topic is heard. So nothing of it comes before the reply, or is missed after it. */
  #enter(incoming: Incoming, reply: unknown): unknown {
    const membership = this.#membership;
    if (membership.state !== "joining" || this.#isEnding) return undefined;
    const { callbacks } = membership.definition;
    checkReserved(membership.topic, "phx_reply", reply);
    membership.reply(incoming.joinRef, incoming.ref, "ok", reply);
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

  #event(incoming: Incoming): unknown {
    const { event, payload } = incoming;
    const handler = this.#membership.definition.handler(event);
    const later = new LaterReply(this.#membership, incoming, handler !== undefined);
    if (handler === undefined) {
      this.#tellRefused("event", "unknown event");
      return later.refuse({ reason: "unknown event" });
    }
    const refuse = (reason: object): void => {
      this.#tellRefused(event, "refused");
      later.refuse(reason);
    };
    const unfit = (reason: object): void => later.refuse(reason);
    return this.#checked(event, payload, unfit, (checked) =>
      this.#refusable(
        () => handler(checked, this.#joined, later),
        (reply) => {
          if (reply !== later) later.reply(reply);
        },
        refuse,
      ),
    );
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

  /** Runs a callback that may refuse. */
  #refusable(
    work: () => unknown,
    done: (value: unknown) => unknown,
    refuse: (reason: object) => void,
  ): unknown {
    return runCallback(this.#cell, work, done, (error) => {
      const reason = reasonOf(error);
      if (reason === undefined) throw error;
      refuse(reason);
    });
  }

  /** Goes on with what the schema makes of a client's payload; without a schema, with the payload. */
  #checked(
    event: string,
    payload: unknown,
    refuse: (reason: object) => void,
    next: (checked: unknown) => unknown,
  ): unknown {
    const schema = this.#membership.definition.schema(event);
    if (schema === undefined) return next(payload);
    return runCallback(
      this.#cell,
      () => schema["~standard"].validate(payload),
      (result: SchemaResult<unknown>) => {
        if (result.issues === undefined) return next(result.value);
        this.#tellRefused(event, invalidPayload.reason);
        if (invalid.active) {
          const { endpoint, pattern } = this.#membership.definition;
          invalid.emit({ endpoint, pattern, event, issues: invalidOf(result.issues, payload) });
        }
        return refuse(invalidPayload);
      },
      (error) => {
        throw error;
      },
    );
  }

  #tellRefused(event: string, reason: string): void {
    tellRefused(`${event} on ${this.#membership.definition.pattern}`, reason);
  }
}

/** The broker refuses the subscription: the join has crashed. */
function notConfirmed(error: unknown): never {
  throw error;
}

/** What a `join` gave. @throws TypeError for anything without `assigns` */
function joinResult(result: unknown): { readonly assigns: unknown; readonly reply?: unknown } {
  if (typeof result === "object" && result !== null && "assigns" in result) return result;
  throw new TypeError("join must return { assigns } or { assigns, reply }, or throw Refused");
}
