/** Watches the protocol between stages: no subscription ever gets more than was asked for on it. */
export class WindowInvariant {
  readonly #open: Map<number, number> = new Map();
  violation: string | undefined = undefined;

  /** Sees a message on its way; events are frozen, so that a stage that changes what it has given away is noticed. */
  readonly see = <M extends object>(message: M): M => {
    const { tag, count, events } = message as {
      tag?: number;
      count?: number;
      events?: readonly unknown[];
    };
    if (tag === undefined) return message;
    const open = this.#open.get(tag) ?? 0;
    if (count !== undefined) this.#open.set(tag, open + count);
    if (events === undefined) return message;
    if (events.length > open) {
      this.violation ??= `subscription ${tag} got ${events.length} events with ${open} asked for`;
    }
    this.#open.set(tag, open - events.length);
    Object.freeze(events);
    return message;
  };
}
