import {
  SluiceError,
  invalidOption,
  type Addressable,
  type ExitReason,
} from "../../support/internal.ts";
import { ownOf, type Cell, type Own } from "../../process/internal.ts";
import type { Position } from "../contract.ts";
import type { Membership } from "./membership.ts";
import { speak } from "../fan-out/speak.ts";

/** What callbacks get: a process from inside, and the voice of its channel. */
export class JoinedTopic {
  /** The process; how `subscribe` of a bus topic knows it. */
  readonly cell: Cell;
  readonly #membership: Membership;
  assigns: unknown = undefined;

  constructor(cell: Cell, membership: Membership) {
    this.cell = cell;
    this.#membership = membership;
  }

  get topic(): string {
    return this.#membership.topic;
  }
  get key(): string {
    return this.#membership.key;
  }
  get socket(): { readonly assigns: unknown; readonly id: string | undefined } {
    const { assigns, id } = this.#membership.socket;
    return { assigns, id };
  }

  push(event: string, payload: object): void {
    if (this.#maySpeak(event)) this.#membership.push(event, payload);
  }
  broadcast(event: string, payload: object): void {
    if (this.#maySpeak(event)) this.#speak(event, payload);
  }
  broadcastFrom(event: string, payload: object): void {
    if (this.#membership.definition.history !== undefined)
      throw invalidOption("topic", this.topic, "one without history, which is one for all");
    if (this.#maySpeak(event)) this.#speak(event, payload, this.#membership);
  }

  async publish(event: string, payload: object): Promise<Position> {
    const { topic, socket, definition } = this.#membership;
    if (definition.history === undefined || !this.#maySpeak(event))
      throw invalidOption("topic", topic, "one that is joined, and has history");
    return socket.world.record.log.publish(topic, event, payload);
  }

  get pid(): string {
    return this.cell.pid;
  }
  get signal(): AbortSignal {
    return this.cell.signal;
  }
  after(ms: number, message: () => unknown): Disposable {
    return this.#own.after(ms, message);
  }
  every(ms: number, message: () => unknown): Disposable {
    return this.#own.every(ms, message);
  }
  afterBuffered(message: () => unknown): void {
    this.#own.afterBuffered(message);
  }
  task(...task: Parameters<Own["task"]>): Disposable {
    return this.#own.task(...task);
  }
  startLinked(...process: Parameters<Own["startLinked"]>): Promise<unknown> {
    return this.#own.startLinked(...process);
  }
  monitor(target: Addressable, down: (reason: ExitReason) => unknown): Disposable {
    return this.#own.monitor(target, down);
  }
  link(target: Addressable): void {
    this.#own.link(target);
  }
  trapExits(handler: (from: unknown, reason: ExitReason) => unknown): void {
    this.#own.trapExits(handler);
  }
  stop(reason: ExitReason = "normal"): void {
    this.cell.stop(reason);
  }

  get #own(): Own {
    return ownOf(this.cell);
  }

  /** Is there a client to speak to? @throws SLUICE_PAYLOAD_REFUSED before the join has been answered */
  #maySpeak(event: string): boolean {
    const { state, topic } = this.#membership;
    if (state !== "joining") return state !== "ended";
    const why = "the join is not answered yet: speak in `joined`, or later";
    throw new SluiceError(
      "SLUICE_PAYLOAD_REFUSED",
      `${JSON.stringify(event)} was refused: ${why}`,
      {
        topic,
        event,
        why,
      },
    );
  }

  #speak(event: string, payload: object, from?: Membership): void {
    const { topic, socket } = this.#membership;
    void speak(socket.world.system, socket.world.record, topic, event, payload, from);
  }
}
