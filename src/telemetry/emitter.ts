import type { TelemetryEvent, TelemetryEvents } from "./events.ts";

// Not imported: browsers have no such module.
const diagnostics = globalThis.process?.getBuiltinModule?.("node:diagnostics_channel");

interface Attachment<E extends TelemetryEvent> {
  readonly listener: (measurement: TelemetryEvents[E]) => void;
  running: boolean;
}

const NONE: readonly never[] = [];

/**
 * Where Sluice emits one telemetry event: `if (dropped.active) dropped.emit({ … })`, so that nothing is made when nobody
 * listens.
 */
export class Emitter<E extends TelemetryEvent> {
  readonly event: E;
  /** Replaced on each change, never changed: an emit goes on with the one it began with. */
  #attachments: readonly Attachment<E>[] = NONE;
  readonly #failed: (event: E, error: unknown) => void;
  readonly #unheard: ((measurement: TelemetryEvents[E]) => void) | undefined;
  readonly #diagnostics;

  /**
   * @param failed told when a listener threw; it has been detached then.
   * @param unheard gets what no listener took.
   */
  constructor(
    event: E,
    failed: (event: E, error: unknown) => void,
    unheard?: (measurement: TelemetryEvents[E]) => void,
  ) {
    this.event = event;
    this.#failed = failed;
    this.#unheard = unheard;
    this.#diagnostics = diagnostics?.channel(event);
  }

  /** Whether anybody wants the event. */
  get active(): boolean {
    return (
      this.#attachments !== NONE ||
      this.#diagnostics?.hasSubscribers === true ||
      this.#unheard !== undefined
    );
  }

  /**
   * Hands the measurement to every listener, in the order of attachment, but not to one that is being called already:
   * what a listener causes by itself cannot recurse. Never throws.
   */
  emit(measurement: TelemetryEvents[E]): void {
    const attachments = this.#attachments;
    let heard = false;
    for (let index = 0; index < attachments.length; index++) {
      const attachment = attachments[index]!;
      if (attachment.running) continue;
      // A listener before it has changed who listens.
      if (attachments !== this.#attachments && !this.#attachments.includes(attachment)) continue;
      attachment.running = true;
      try {
        attachment.listener(measurement);
        heard = true;
      } catch (error) {
        this.#detach(attachment);
        this.#failed(this.event, error);
      }
      attachment.running = false;
    }
    if (!heard) this.#unheard?.(measurement);
    if (this.#diagnostics?.hasSubscribers === true) this.#diagnostics.publish(measurement);
  }

  /** Adds a listener until it is disposed; one attached twice is called twice. */
  attach(listener: (measurement: TelemetryEvents[E]) => void): Disposable {
    const attachment: Attachment<E> = { listener, running: false };
    this.#attachments = [...this.#attachments, attachment];
    return { [Symbol.dispose]: () => this.#detach(attachment) };
  }

  #detach(attachment: Attachment<E>): void {
    const rest = this.#attachments.filter((other) => other !== attachment);
    this.#attachments = rest.length === 0 ? NONE : rest;
  }
}
