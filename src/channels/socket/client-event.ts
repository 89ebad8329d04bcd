import { isThenable, type Cell } from "../../process/internal.ts";
import type { AnyDefinition, Callback } from "../any-definition.ts";
import { reasonOf } from "../refused.ts";
import type { SchemaResult } from "../schema.ts";
import { invalidPayload, tellInvalid } from "../tell-invalid.ts";
import { tellEventRefused } from "../tell-refused.ts";
import type { Incoming } from "../wire/serializer.ts";
import type { JoinedTopic } from "./joined-topic.ts";
import { LaterReply } from "./later-reply.ts";
import type { Membership } from "./membership.ts";
import { crash, whenSettled } from "./run-callback.ts";

const unknownEvent = { reason: "unknown event" };

/**
 * One event of a client on its way through its channel: checked, handled, answered. What callbacks give at once, and nearly
 * all do, is gone on with without a function made for it.
 */
export class ClientEvent {
  readonly #cell: Cell;
  readonly #joined: JoinedTopic;
  readonly #definition: AnyDefinition;
  readonly #incoming: Incoming;
  readonly #handler: Callback | undefined;
  readonly #later: LaterReply;

  constructor(cell: Cell, joined: JoinedTopic, membership: Membership, incoming: Incoming) {
    this.#cell = cell;
    this.#joined = joined;
    this.#definition = membership.definition;
    this.#incoming = incoming;
    this.#handler = this.#definition.handler(incoming.event);
    this.#later = new LaterReply(membership, incoming, this.#handler !== undefined);
  }

  /** @returns what holds the mailbox, if anything does */
  run(): unknown {
    const { event, payload } = this.#incoming;
    if (this.#handler === undefined) {
      // Its name is its client's, and not for whoever runs the program.
      tellEventRefused(this.#definition, "event", unknownEvent.reason);
      return this.#later.refuse(unknownEvent);
    }
    const schema = this.#definition.schema(event);
    if (schema === undefined) return this.#handle(payload);
    const result = schema["~standard"].validate(payload);
    return isThenable(result) ? this.#checkedLater(result) : this.#checked(result);
  }

  #checked(result: SchemaResult<unknown>): unknown {
    if (result.issues === undefined) return this.#handle(result.value);
    const { event, payload } = this.#incoming;
    tellInvalid(this.#definition, event, result.issues, payload);
    return this.#later.refuse(invalidPayload);
  }

  #checkedLater(result: PromiseLike<SchemaResult<unknown>>): unknown {
    return whenSettled(this.#cell, result, (settled) => this.#checked(settled), crash);
  }

  #handle(payload: unknown): unknown {
    const handler = this.#handler!;
    let reply: unknown;
    try {
      // Not as a method: `this` is none of the user's.
      reply = handler(payload, this.#joined, this.#later);
    } catch (error) {
      return this.#failed(error);
    }
    return isThenable(reply) ? this.#replyLater(reply) : this.#reply(reply);
  }

  #replyLater(reply: PromiseLike<unknown>): unknown {
    return whenSettled(
      this.#cell,
      reply,
      (settled) => this.#reply(settled),
      (error) => this.#failed(error),
    );
  }

  #reply(reply: unknown): void {
    if (reply !== this.#later) this.#later.reply(reply);
  }

  /** What is no refusal is a crash. */
  #failed(error: unknown): void {
    const reason = reasonOf(error);
    if (reason === undefined) throw error;
    tellEventRefused(this.#definition, this.#incoming.event, "refused");
    this.#later.refuse(reason);
  }
}
