import { SluiceError, isOrderly, type ExitReason } from "../support/internal.ts";
import {
  closureMessage,
  State,
  putBack,
  watch,
  type Cell,
  type Message,
  type Upstream,
} from "../process/internal.ts";
import { Intake } from "./intake.ts";
import { emitsEvents } from "./emitting.ts";
import {
  StageKind,
  cancel,
  down,
  subscribe,
  transmit,
  type Events,
  type Replaced,
} from "./protocol.ts";
import { wanted, type From, type SubscriptionTerms, type Wanted } from "./subscription.ts";

/** The accepting side of a stage: the producers that it subscribed to. */
export class Inlet {
  readonly cell: Cell;
  readonly intakes: Map<number, Intake> = new Map();
  latest: Intake | undefined = undefined;
  /** The largest window so far. */
  largest = 1;
  /** Who waits until nothing is kept by a pause. */
  readonly waiting: (() => void)[] = [];
  /** What an unstated `minDemand` is. */
  readonly leastDefault: (maxDemand: number) => number;
  /** Events are handled one after the other, in the order in which they come. */
  readonly inOrder: boolean;

  constructor(cell: Cell, leastDefault: (maxDemand: number) => number, inOrder = true) {
    this.cell = cell;
    this.inOrder = inOrder;
    this.leastDefault = leastDefault;
  }

  /**
   * Subscribes to one producer: subscribes, lets `manual` say who asks, then asks, unless it is by hand. Nobody there,
   * and temporary: no subscription. Then the one that it replaces is as it was.
   * @throws SLUICE_INVALID_OPTION, SLUICE_NO_PROCESS, SLUICE_NOT_A_PRODUCER
   */
  subscribe(
    given: unknown,
    path: string,
    manual: (terms: SubscriptionTerms, from: From) => boolean,
    replaces?: Replaced,
  ): Intake | undefined {
    const terms = wanted(given, path, this.leastDefault);
    const { cell } = this;
    const producer = producerOf(terms, path);
    if (producer === undefined) return undefined;
    cell.table.addressed.set(cell.id, cell);
    const tag = cell.system.nextId();
    const { to: _to, cancel: _cancel, ...rest } = terms;
    const told = { ...rest, inOrder: this.inOrder };
    const intake = new Intake(tag, producer, this, terms);
    this.intakes.set(tag, intake);
    this.largest = Math.max(this.largest, terms.maxDemand);
    const old = replaces && this.intakes.get(replaces.tag);
    if (old !== undefined) old.replaced = true;
    if (old !== undefined && old.producer !== producer) old.cancel(replaces!.reason);
    transmit(producer, subscribe(tag, cell.id, told, replaces));
    intake.unwatch = watch(cell, producer, (reason) => down(StageKind.producerDown, tag, reason));
    try {
      intake.manual = manual(told, intake);
    } catch (error) {
      this.remove(tag);
      intake.cancel();
      throw error;
    }
    if (!intake.manual) intake.ask(terms.maxDemand);
    return intake;
  }

  /** Forgets a subscription that has ended. */
  remove(tag: number): Intake | undefined {
    const intake = this.intakes.get(tag);
    intake?.unwatch?.[Symbol.dispose]();
    this.intakes.delete(tag);
    this.latest = undefined;
    return intake;
  }

  /** A pause has ended: what came meanwhile is handled before anything that waits. */
  putBack(kept: Iterable<Message>): void {
    putBack(this.cell, kept);
    this.released();
  }

  /** Tells who waits for the end of pauses. */
  released(): void {
    if (this.waiting.length === 0 || this.kept > 0) return;
    // As a message: what was put back comes first.
    for (const resolve of this.waiting.splice(0)) this.cell.send(closureMessage(resolve));
  }

  /** Settles when nothing waits for the end of a pause. */
  unpaused(): Promise<void> | undefined {
    return this.kept > 0 ? new Promise((resolve) => this.waiting.push(resolve)) : undefined;
  }

  /** Who has this tag; who sends is mostly who sent last. */
  find(tag: number): Intake | undefined {
    const { latest } = this;
    if (latest !== undefined && latest.tag === tag) return latest;
    return (this.latest = this.intakes.get(tag));
  }

  /** All that came on a subscription that was cancelled is handled: its producer may go by who is at work on what. */
  confirmEnd({ producer, tag, running }: Intake): void {
    if (running === 0) transmit(producer, cancel(tag, "normal"));
  }

  /** Does the stage end with a subscription that ended for this reason? */
  endsWith(intake: Intake, reason: ExitReason): boolean {
    // The other subscription stands.
    if (isAlreadySubscribed(reason)) return false;
    const { cancel: mode } = intake.wanted;
    if (intake.replaced) return false;
    return mode === "permanent" || (mode === "transient" && !isOrderly(reason));
  }

  get upstream(): Upstream[] {
    return [...this.intakes.values()].map(({ producer, wanted: { maxDemand }, pending, kept }) => ({
      producer,
      maxDemand,
      pending,
      paused: kept !== undefined,
    }));
  }

  /** How many events wait at subscriptions that are paused. */
  get kept(): number {
    let sum = 0;
    for (const { kept = [] } of this.intakes.values())
      for (const message of kept)
        if (message.kind === StageKind.events) sum += (message as Events).events.length;
    return sum;
  }

  /** Events that wait in the mailbox. */
  get arrived(): number {
    let sum = 0;
    for (let message = this.cell.head; message !== undefined; message = message.next)
      if (message.kind === StageKind.events) sum += (message as Events).events.length;
    return sum;
  }

  /** Asked for and not come yet, over all subscriptions. */
  get asked(): number {
    let sum = 0;
    for (const { pending, running } of this.intakes.values()) sum += pending - running;
    return sum;
  }
}

function isAlreadySubscribed(reason: ExitReason): boolean {
  return (
    typeof reason === "object" &&
    "crash" in reason &&
    SluiceError.is(reason.crash, "SLUICE_ALREADY_SUBSCRIBED")
  );
}

/** Who is to be subscribed to; nobody, if that is allowed. */
function producerOf({ to, cancel }: Wanted, path: string): Cell | undefined {
  const producer = to["~resolve"]() as Cell | undefined;
  if (producer === undefined || producer.state === State.dead) {
    if (cancel === "temporary") return undefined;
    const target = String(to);
    const message = `${path}: nobody at ${target} to subscribe to`;
    throw new SluiceError("SLUICE_NO_PROCESS", message, { target });
  }
  const { pid: target } = producer;
  if (!emitsEvents(producer)) {
    const message = `${path}: ${target} is no producer`;
    throw new SluiceError("SLUICE_NOT_A_PRODUCER", message, { target });
  }
  return producer;
}
