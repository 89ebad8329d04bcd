import { State, type Cell, type Figures } from "../process/internal.ts";
import { StageKind } from "../stage/internal.ts";

/** A subscription, and how many events were sent on it. */
interface Account {
  readonly producer: Cell;
  sent: number;
}

/** What the ledger reads of an engine that accepts, and of one that emits. */
interface Accepts {
  readonly inlet: { readonly intakes: ReadonlyMap<number, { readonly producer: Cell }> };
  inspect(): { readonly figures: Figures };
}
interface Emits {
  readonly outlet: { readonly delivered: number };
}

interface OnWire {
  readonly kind: number;
  readonly tag: number;
  readonly consumer: number;
  readonly events: readonly unknown[];
}

/**
 * Watches that stages lose nothing: a producer has delivered what went over the wire, and a consumer
 * that is idle has handled all that came on its subscriptions.
 */
export class Ledger {
  /** Events that went from stage to stage. */
  events = 0;
  violation: string | undefined = undefined;
  readonly #byTag: Map<number, Account> = new Map();
  readonly #byConsumer: Map<Cell, Account[]> = new Map();
  readonly #sentBy: Map<Cell, number> = new Map();

  /** Sees a message on its way. `consumerAt`: who has this address. */
  see(message: object, consumerAt: (address: number) => Cell | undefined): void {
    const { kind, tag, consumer: address, events } = message as OnWire;
    if (kind === StageKind.subscribe) this.#open(tag, consumerAt(address));
    if (kind !== StageKind.events) return;
    this.events += events.length;
    const account = this.#byTag.get(tag);
    if (account === undefined) return;
    account.sent += events.length;
    this.#sentBy.set(account.producer, this.#sent(account.producer) + events.length);
  }

  #open(tag: number, consumer: Cell | undefined): void {
    const producer = (consumer?.engine as Partial<Accepts> | undefined)?.inlet?.intakes.get(
      tag,
    )?.producer;
    if (consumer === undefined || producer === undefined) return;
    const account = { producer, sent: 0 };
    this.#byTag.set(tag, account);
    const accounts = this.#byConsumer.get(consumer) ?? [];
    accounts.push(account);
    this.#byConsumer.set(consumer, accounts);
  }

  #sent(producer: Cell): number {
    return this.#sentBy.get(producer) ?? 0;
  }

  /** Balances the books; when nothing can run. */
  balance(): void {
    for (const [producer, sent] of this.#sentBy) {
      const { delivered } = (producer.engine as unknown as Emits).outlet;
      if (delivered !== sent)
        this.violation ??= `${producer.pid} delivered ${delivered} events, and ${sent} went out`;
      if (producer.state === State.dead) this.#sentBy.delete(producer);
    }
    for (const [consumer, accounts] of this.#byConsumer) {
      if (consumer.state === State.dead) this.#byConsumer.delete(consumer);
      else if (consumer.state === State.running && !consumer.busy && consumer.head === undefined)
        this.#idle(consumer, accounts);
    }
  }

  #idle(consumer: Cell, accounts: readonly Account[]): void {
    const { figures } = (consumer.engine as unknown as Accepts).inspect();
    const { waiting = 0, running = 0, done = 0, failed = 0 } = figures;
    if (waiting + running > 0) return;
    const handled = done + failed;
    // The end of a subscription is told behind its events.
    const came = accounts.reduce((sum, { sent }) => sum + sent, 0);
    if (handled < came)
      this.violation ??= `${consumer.pid} is idle and has handled ${handled} of ${came} events`;
  }
}
