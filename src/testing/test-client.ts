import type { AnyTopic, ContractOf, Endpoint, JoinParams, JoinReply } from "../channels/index.ts";
import { Refused } from "../channels/index.ts";
import { memoryTransport, memoryUrl } from "../channels/internal.ts";
import type { CloseFacts, MemorySocket } from "../channels/internal.ts";
import { currentSystem } from "../runtime/internal.ts";
import { invalidOption } from "../support/internal.ts";
import type { Within } from "./expected.ts";
import { clientMessage, serverMessage } from "./test-frames.ts";
import { TestInbox, shown } from "./test-inbox.ts";
import { TestTopic, type Answer, type ServerMessage, type TestLine } from "./test-topic.ts";

/** How a test client connects. */
export interface TestClientOptions {
  /** Which mount, where the endpoint has several: `"/socket"`. */
  readonly socket?: `/${string}`;
  /** Params of the URL, which `connect` gets. */
  readonly params?: Readonly<Record<string, string>>;
  /** Headers of the request, their names in small letters. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Default `"127.0.0.1"`. */
  readonly remoteAddress?: string;
}

/**
 * Connects to an endpoint of the current system without a network, for tests of channels: the same checks, limits and
 * processes as for a client far away, in real or in virtual time. What is sent crosses as JSON text, or as bytes.
 *
 * ```ts
 * import { startSupervisor } from "sluice";
 * import { endpoint, fields } from "sluice/channels";
 * import { simulate, testClient } from "sluice/testing";
 *
 * interface Topics {
 *   "room:*": {
 *     in: { say(payload: { readonly text: string }): { readonly heardBy: number } };
 *     out: { said: { readonly text: string } };
 *   };
 * }
 * const web = endpoint<Topics>("web");
 * const room = web.channel("room:*", {
 *   schemas: { join: fields({}), say: fields({ text: "string" }) },
 *   join: () => ({ assigns: {} }),
 *   on: {
 *     say(payload, channel) {
 *       channel.broadcast("said", payload);
 *       return { heardBy: 2 };
 *     },
 *   },
 * });
 * await simulate(async () => {
 *   await using _app = await startSupervisor({
 *     strategy: "one_for_one",
 *     children: {
 *       web: web.child({ port: 0, sockets: { "/socket": { connect: () => ({}), channels: [room] } } }),
 *     },
 *   });
 *   await using ada = await testClient(web);
 *   await using bob = await testClient(web);
 *   const [mine, his] = [await ada.join("room:1", {}), await bob.join("room:1", {})];
 *   console.info(await mine.push("say", { text: "hello" })); // { heardBy: 2 }
 *   await his.expectBroadcast("said", { text: "hello" });
 *   await his.expectNoPush("said");
 * }, { seeds: 3 });
 * ```
 *
 * @throws SLUICE_UNEXPECTED as a rejection when it is not let in, with the status it was refused with
 * @throws SLUICE_INVALID_OPTION for what is no endpoint
 * @throws SLUICE_NOT_SERVING when the endpoint does not run in this system, or has several mounts and none was named
 */
export async function testClient<M, SA>(
  web: Endpoint<M, SA>,
  { socket, params = {}, headers, remoteAddress }: TestClientOptions = {},
): Promise<TestClient<M>> {
  if (typeof (web as Partial<Endpoint<M, SA>> | undefined)?.["~in"] !== "function")
    throw invalidOption("web", web, "what endpoint(…) returns");
  const system = currentSystem();
  const url = memoryUrl(system, web.key, socket);
  url.search = new URLSearchParams({ ...params, vsn: "2.0.0" }).toString();
  const Transport = memoryTransport(system, {
    ...(headers && { headers }),
    ...(remoteAddress !== undefined && { remoteAddress }),
  });
  const line = new Transport(url.href);
  const client = new TestClient<M>(line);
  await client["~open"];
  return client;
}

/** A connection to an endpoint, driven by the test. */
export class TestClient<M> implements TestLine, AsyncDisposable {
  readonly #socket: MemorySocket;
  readonly #answers: TestInbox<ServerMessage> = new TestInbox("test client", show);
  readonly #topics: Map<string, TestInbox<ServerMessage>> = new Map();
  readonly #closed: TestInbox<CloseFacts> = new TestInbox(
    "test client",
    ({ code, reason }) => `a close with ${code} ${JSON.stringify(reason)}`,
  );
  #facts: CloseFacts | undefined = undefined;
  #lastRef = 0;
  /** Settles when it is let in, or is not. */
  readonly "~open": Promise<void>;

  constructor(socket: MemorySocket) {
    this.#socket = socket;
    this["~open"] = new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onclose = (facts) => {
        this.#facts = facts;
        this.#closed.push(facts);
        const refused = `a refusal with ${socket.refusal ?? "no status"}`;
        reject(this.#answers.unexpected("to be let in", refused));
      };
    });
    socket.onmessage = ({ data }) => this.#hear(data);
  }

  /**
   * Joins a topic; rejects with `Refused` and the reason when it is refused.
   * @throws SLUICE_UNEXPECTED as a rejection: no answer in time
   */
  async join<T extends AnyTopic<M>>(
    topic: T,
    params: JoinParams<ContractOf<M, T>>,
    within?: Within,
  ): Promise<TestTopic<ContractOf<M, T>, JoinReply<ContractOf<M, T>>>> {
    const joinRef = this.#nextRef();
    const inbox = new TestInbox<ServerMessage>(`test client on ${topic}`, show);
    this.#topics.set(joinRef, inbox);
    this.#topics.set(topic, inbox);
    const { status, response } = await this.#sent(
      joinRef,
      joinRef,
      topic,
      "phx_join",
      params,
      within,
    );
    if (status !== "ok") throw new Refused(response as object);
    return new TestTopic(this, topic, joinRef, response as JoinReply<ContractOf<M, T>>, inbox);
  }

  /** The server closes the connection, with this code if one is given; resolves with why. @throws SLUICE_UNEXPECTED as a rejection */
  expectClose(code?: number, within?: Within): Promise<CloseFacts> {
    const expected = code === undefined ? "a close" : `a close with ${code}`;
    return this.#closed.take(
      expected,
      (facts): facts is CloseFacts => code === undefined || facts.code === code,
      within,
    );
  }

  /** Asks as the stock client does every 30 s; resolves when the server has answered. @throws SLUICE_UNEXPECTED as a rejection */
  async heartbeat(within?: Within): Promise<void> {
    await this.#sent(null, this.#nextRef(), "phoenix", "heartbeat", {}, within);
  }

  /** Reads no more, as a suspended tab does. */
  pause(): void {
    this.#socket.pause();
  }

  /** Reads on. */
  resume(): void {
    this.#socket.resume();
  }

  /** The line breaks, and nobody says why. */
  cut(): void {
    this.#socket.cut();
  }

  /** Closes the connection; resolves when it is closed. */
  async close(): Promise<void> {
    this.#socket.close();
    if (this.#facts === undefined) await this.expectClose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** How topics ask and tell. */
  ask(
    joinRef: string,
    topic: string,
    event: string,
    payload: unknown,
    within?: Within,
  ): Promise<Answer> {
    return this.#sent(joinRef, this.#nextRef(), topic, event, payload, within);
  }

  tell(joinRef: string, topic: string, event: string, payload: unknown): void {
    this.#socket.send(clientMessage(joinRef, this.#nextRef(), topic, event, payload));
  }

  async #sent(
    joinRef: string | null,
    ref: string,
    topic: string,
    event: string,
    payload: unknown,
    within: Within | undefined,
  ): Promise<Answer> {
    this.#socket.send(clientMessage(joinRef, ref, topic, event, payload));
    const answer = await this.#answers.take(
      `an answer to ${shown(event, payload)} on ${topic}`,
      (message): message is ServerMessage => message.ref === ref && message.topic === topic,
      within,
    );
    return answer.payload as Answer;
  }

  #hear(data: string | ArrayBuffer): void {
    const message = serverMessage(data);
    const { joinRef, topic, event } = message;
    if (event === "phx_reply") this.#answers.push(message);
    // What is for all goes to the join that came last; whatever is for one, to its own.
    else this.#topics.get(joinRef ?? topic)?.push(message);
  }

  #nextRef(): string {
    return String(++this.#lastRef);
  }
}

function show({ event, payload }: ServerMessage): string {
  return shown(event, payload);
}
