import { isDeepStrictEqual } from "node:util";
import type { InOf, OutOf, PayloadOf, ReplyOf } from "../channels/index.ts";
import { Refused } from "../channels/index.ts";
import type { Within } from "./expected.ts";
import { TestInbox, shown } from "./test-inbox.ts";

/** What a server sends: `[join_ref, ref, topic, event, payload]`. */
export interface ServerMessage {
  readonly joinRef: string | null;
  readonly ref: string | null;
  readonly topic: string;
  readonly event: string;
  readonly payload: unknown;
}

/** What an answer says. */
export interface Answer {
  readonly status: string;
  readonly response: unknown;
}

/** The line that a topic was joined by. */
export interface TestLine {
  /** Sends a message, and resolves with the answer. */
  ask(
    joinRef: string,
    topic: string,
    event: string,
    payload: unknown,
    within?: Within,
  ): Promise<Answer>;
  /** Sends a message that nobody waits for. */
  tell(joinRef: string, topic: string, event: string, payload: unknown): void;
}

/** A joined topic, driven by the test. Messages are expected in any order; each is expected once. */
export class TestTopic<S, R> {
  /** The topic's full name. */
  readonly topic: string;
  /** What the join was answered. */
  readonly reply: R;
  readonly #line: TestLine;
  readonly #joinRef: string;
  readonly #inbox: TestInbox<ServerMessage>;

  constructor(
    line: TestLine,
    topic: string,
    joinRef: string,
    reply: R,
    inbox: TestInbox<ServerMessage>,
  ) {
    this.#line = line;
    this.topic = topic;
    this.#joinRef = joinRef;
    this.reply = reply;
    this.#inbox = inbox;
  }

  /**
   * Sends an event; resolves with its reply, rejects with `Refused` and the reason when it is refused.
   * @throws SLUICE_UNEXPECTED as a rejection: no answer in time
   */
  async push<E extends keyof InOf<S> & string>(
    event: E,
    payload: PayloadOf<InOf<S>[E]>,
    within?: Within,
  ): Promise<ReplyOf<InOf<S>[E]>> {
    const { status, response } = await this.#line.ask(
      this.#joinRef,
      this.topic,
      event,
      payload,
      within,
    );
    if (status === "ok") return response as ReplyOf<InOf<S>[E]>;
    throw new Refused(response as object);
  }

  /** Sends an event, and does not wait for an answer. */
  cast<E extends keyof InOf<S> & string>(event: E, payload: PayloadOf<InOf<S>[E]>): void {
    this.#line.tell(this.#joinRef, this.topic, event, payload);
  }

  /** A push to this client alone comes, with this payload if one is given; resolves with it. @throws SLUICE_UNEXPECTED as a rejection */
  expectPush<E extends keyof OutOf<S> & string>(
    event: E,
    payload?: OutOf<S>[E],
    within?: Within,
  ): Promise<OutOf<S>[E]> {
    return this.#expect("push", event, payload, within);
  }

  /** A broadcast comes, with this payload if one is given; resolves with it. @throws SLUICE_UNEXPECTED as a rejection */
  expectBroadcast<E extends keyof OutOf<S> & string>(
    event: E,
    payload?: OutOf<S>[E],
    within?: Within,
  ): Promise<OutOf<S>[E]> {
    return this.#expect("broadcast", event, payload, within);
  }

  /** No push of this event comes, for 100 ms unless said otherwise. @throws SLUICE_UNEXPECTED as a rejection */
  expectNoPush(event: keyof OutOf<S> & string, within?: Within): Promise<void> {
    return this.#inbox.none(`no push ${event}`, isA("push", event), within);
  }

  /** No broadcast of this event comes, for 100 ms unless said otherwise. @throws SLUICE_UNEXPECTED as a rejection */
  expectNoBroadcast(event: keyof OutOf<S> & string, within?: Within): Promise<void> {
    return this.#inbox.none(`no broadcast ${event}`, isA("broadcast", event), within);
  }

  /** Leaves; resolves when the server has said that it is over. @throws SLUICE_UNEXPECTED as a rejection */
  async leave(within?: Within): Promise<void> {
    await this.#line.ask(this.#joinRef, this.topic, "phx_leave", {}, within);
    await this.expectEnd(within);
  }

  /** The channel ends in order. @throws SLUICE_UNEXPECTED as a rejection */
  async expectEnd(within?: Within): Promise<void> {
    await this.#inbox.take("the end of the channel", isEvent("phx_close"), within);
  }

  /** The channel crashes, of which its client learns no more. @throws SLUICE_UNEXPECTED as a rejection */
  async expectCrash(within?: Within): Promise<void> {
    await this.#inbox.take("a crash of the channel", isEvent("phx_error"), within);
  }

  async #expect<P>(
    kind: "push" | "broadcast",
    event: string,
    payload: P | undefined,
    within: Within | undefined,
  ): Promise<P> {
    const ofKind = isA(kind, event);
    const expected = `a ${kind} ${payload === undefined ? JSON.stringify(event) : shown(event, payload)}`;
    const message = await this.#inbox.take(
      expected,
      (one): one is ServerMessage =>
        ofKind(one) && (payload === undefined || isDeepStrictEqual(one.payload, payload)),
      within,
    );
    return message.payload as P;
  }
}

/** A push names the join that it is for, a broadcast none. */
function isA(kind: "push" | "broadcast", event: string): (message: ServerMessage) => boolean {
  return (message) =>
    message.event === event && (message.joinRef === null) === (kind === "broadcast");
}

function isEvent(event: string): (message: ServerMessage) => message is ServerMessage {
  return (message): message is ServerMessage => message.event === event;
}
