import { SluiceError, invalidOption, type ExitReason, isOrderly } from "../support/internal.ts";
import { log } from "../telemetry/internal.ts";
import { State, isThenable, watch, type Cell, type Upstream } from "../process/internal.ts";
import type { Ref } from "../process/index.ts";
import { StageKind, ask, cancel, down, subscribe, transmit, type Events } from "./protocol.ts";
import { wanted, type From, type Wanted } from "./subscription.ts";

/** A producer that was subscribed to. */
export class Intake implements From {
  readonly tag: number;
  readonly producer: Cell;
  readonly consumer: Cell;
  readonly wanted: Wanted;
  readonly manual: boolean;
  /** Asked for and not come yet. */
  pending = 0;
  unwatch: Disposable | undefined = undefined;

  constructor(tag: number, producer: Cell, consumer: Cell, terms: Wanted, manual: boolean) {
    this.tag = tag;
    this.producer = producer;
    this.consumer = consumer;
    this.wanted = terms;
    this.manual = manual;
  }

  get ref(): Ref<unknown> {
    return this.producer.ref as unknown as Ref<unknown>;
  }

  cancel(reason: ExitReason = "normal"): void {
    transmit(this.producer, cancel(this.tag, reason));
  }

  ask(count: number): void {
    if (!Number.isSafeInteger(count) || count < 0)
      throw invalidOption("ask: count", count, "a whole number, 0 or more");
    if (count === 0) return;
    this.pending += count;
    transmit(this.producer, ask(this.tag, count));
  }
}

/** What a stage does with one batch; a thenable holds the mailbox. */
type Handle = (events: readonly unknown[], from: Intake) => unknown;

/** The accepting side of a stage: subscriptions, their demand windows, and the cutting of batches. */
export class Inlet {
  readonly cell: Cell;
  readonly handle: Handle;
  readonly intakes: Map<number, Intake> = new Map();
  /** What an unstated `minDemand` is. */
  readonly leastDefault: (maxDemand: number) => number;
  handled = 0;
  /** When the oldest event of the message in hand entered the pipeline. */
  enteredMs = 0;

  constructor(
    cell: Cell,
    handle: Handle,
    leastDefault: (maxDemand: number) => number = (maxDemand) => Math.floor(maxDemand / 2),
  ) {
    this.cell = cell;
    this.handle = handle;
    this.leastDefault = leastDefault;
  }

  /**
   * Subscribes to one producer: subscribes, then asks, unless the subscription is manual.
   * @throws SLUICE_INVALID_OPTION, SLUICE_NO_PROCESS, SLUICE_NOT_A_PRODUCER
   */
  subscribe(
    given: unknown,
    path: string,
    manual: (terms: Wanted, from: From) => boolean,
  ): Intake | undefined {
    const terms = wanted(given, path, this.leastDefault);
    const { cell } = this;
    const producer = terms.to["~resolve"]() as Cell | undefined;
    if (producer === undefined || producer.state === State.dead) {
      if (terms.cancel === "temporary") return undefined;
      throw new SluiceError(
        "SLUICE_NO_PROCESS",
        `${path}: nobody at ${String(terms.to)} to subscribe to`,
        { target: String(terms.to) },
      );
    }
    if (
      producer.state !== State.starting &&
      producer.engine?.role.startsWith("producer") !== true
    ) {
      throw new SluiceError("SLUICE_NOT_A_PRODUCER", `${path}: ${producer.pid} is no producer`, {
        target: producer.pid,
      });
    }
    cell.table.addressed.set(cell.id, cell);
    const tag = cell.system.nextId();
    const { maxDemand, minDemand, partition } = terms;
    transmit(producer, subscribe(tag, cell.id, { maxDemand, minDemand, partition }));
    const probe = new Intake(tag, producer, cell, terms, true);
    const intake = new Intake(tag, producer, cell, terms, manual(terms, probe));
    intake.unwatch = watch(cell, producer, (reason) => down(StageKind.producerDown, tag, reason));
    this.intakes.set(tag, intake);
    intake.pending = probe.pending;
    if (!intake.manual) intake.ask(maxDemand);
    return intake;
  }

  /** A message of events: cuts it into batches of `maxDemand − minDemand`, and after each asks for what is due. */
  receive(message: Events): void {
    const intake = this.intakes.get(message.tag);
    if (intake === undefined) return;
    this.enteredMs = message.enteredMs;
    this.batches(intake, message.events, 0, intake.pending);
  }

  /** `counted` is how much of what comes was asked for: the rest is in excess. */
  batches(intake: Intake, events: readonly unknown[], offset: number, counted: number): void {
    const { minDemand, maxDemand } = intake.wanted;
    const limit = intake.manual ? events.length : maxDemand - minDemand;
    let start = offset;
    let asked = counted;
    while (start < events.length) {
      if (this.full?.() === true) {
        const [from, left] = [start, asked];
        this.rest = () => this.batches(intake, events, from, left);
        return;
      }
      const end = Math.min(start + limit, events.length);
      const batch = start === 0 && end === events.length ? events : events.slice(start, end);
      const size = Math.min(end - start, asked);
      if (size < end - start)
        log(
          "error",
          `${this.cell.pid} got ${end - start - size} events in excess from ${intake.producer.pid}`,
          undefined,
        );
      asked -= size;
      start = end;
      const result = this.handle(batch, intake);
      if (isThenable(result)) {
        const next = start;
        const left = asked;
        this.cell.hold(result, (value) => {
          this.emitted(value);
          this.finish(intake, batch.length, size);
          this.batches(intake, events, next, left);
        });
        return;
      }
      if (result !== undefined) this.emitted(result);
      this.finish(intake, batch.length, size);
    }
    this.done(intake);
  }

  /** Takes what `handle` gave for a batch. */
  emitted: (result: unknown) => void = () => {};
  /** Says before each batch whether there is no place for what it makes; then the rest of the message waits. */
  full: (() => boolean) | undefined = undefined;
  /** The rest of a message that waits for a place. */
  rest: (() => void) | undefined = undefined;
  /** A message is through; a producer-consumer goes on with what waits. */
  done: (intake: Intake) => void = () => {};

  /** A batch was handled: the window moves on. */
  finish(intake: Intake, count: number, size: number): void {
    this.handled += count;
    const left = intake.pending - size;
    if (intake.manual || left > intake.wanted.minDemand) {
      intake.pending = left;
      return;
    }
    const { maxDemand } = intake.wanted;
    intake.pending = maxDemand;
    if (this.intakes.has(intake.tag)) transmit(intake.producer, ask(intake.tag, maxDemand - left));
  }

  /** Forgets a subscription that has ended. */
  remove(tag: number): Intake | undefined {
    const intake = this.intakes.get(tag);
    intake?.unwatch?.[Symbol.dispose]();
    this.intakes.delete(tag);
    return intake;
  }

  /** What the end of a subscription means here: does the stage end with it? */
  endsWith(intake: Intake, reason: ExitReason): boolean {
    const { cancel: mode } = intake.wanted;
    return mode === "permanent" || (mode === "transient" && !isOrderly(reason));
  }

  get upstream(): Upstream[] {
    return [...this.intakes.values()].map(({ producer, wanted: { maxDemand }, pending }) => ({
      producer,
      maxDemand,
      pending,
    }));
  }

  get asked(): number {
    let sum = 0;
    for (const { pending } of this.intakes.values()) sum += pending;
    return sum;
  }
}
