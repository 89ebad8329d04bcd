import type { SendOptions } from "../fan-out/broadcast.ts";
import type { Position } from "../contract.ts";

/** A broadcast on its way through a log, whose sender measures or waits for its clients on this node. */
export class LoggedSend {
  readonly options: SendOptions;
  /** Resolves when the clients of this node have it and are waited for, or none of them will. */
  readonly done: Promise<void>;
  readonly #resolve: (waits?: Promise<unknown>) => void;

  constructor(options: SendOptions) {
    this.options = options;
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.done = promise.then(() => {});
    this.#resolve = resolve;
  }

  /** It was handed on. */
  heard(waits: readonly Promise<void>[]): void {
    this.#resolve(waits.length === 0 ? undefined : Promise.all(waits));
  }

  /** Nobody on this node will hear it. */
  unheard(): void {
    this.options.written?.(0, 0);
    this.#resolve();
  }
}

interface Place extends Position {
  readonly topic: string;
}

/** Broadcasts that are on their way through the log of an endpoint, by the id that their entries carry. */
export class LoggedSends {
  readonly #sends: Map<string, LoggedSend> = new Map();
  /** Those that the log has, and that the tail of their topic has not come to yet. */
  readonly #appended: Map<string, Place> = new Map();

  add(id: string, send: LoggedSend): void {
    this.#sends.set(id, send);
  }

  /** The tail has come to it, or it is not in the log. */
  take(id: string): LoggedSend | undefined {
    const send = this.#sends.get(id);
    this.#sends.delete(id);
    this.#appended.delete(id);
    return send;
  }

  /** It is in the log; a tail that has not heard that far will come to it. */
  appended(id: string, topic: string, position: Position, heard: Position | undefined): void {
    if (!this.#sends.has(id)) return;
    this.#appended.set(id, { topic, ...position });
    this.passed(topic, heard);
  }

  /** A tail has heard up to there, or hears no more: what it has not come to by now, it never will. */
  passed(topic: string, heard: Position | undefined): void {
    if (this.#appended.size === 0) return;
    for (const [id, place] of this.#appended)
      if (place.topic === topic && isBehind(place, heard)) this.take(id)?.unheard();
  }
}

function isBehind(place: Position, heard: Position | undefined): boolean {
  return heard === undefined || heard.epoch !== place.epoch || heard.offset >= place.offset;
}
