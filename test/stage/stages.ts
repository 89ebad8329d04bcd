import {
  Consumer,
  Producer,
  ProducerConsumer,
  refOf,
  type CancelCause,
  type ExitReason,
  type From,
  type SubscriptionTerms,
} from "sluice";
import { simulate, type Simulation } from "sluice/testing";
import { range } from "./probing.ts";

/** What a stage of this file says of itself, one entry per callback. */
export type Reports = unknown[];
type Role = "producer" | "consumer";

/** The body of a test, in five schedules. */
export const schedules =
  (program: (simulation: Simulation) => Promise<void>) => async (): Promise<void> => {
    await simulate(program, { seeds: 5 });
  };

/** Counts up, as far as it is asked, to `count` numbers in all. */
export class Counter extends Producer<number> {
  readonly #count: number;
  #next = 0;
  constructor(count: number = Infinity) {
    super();
    this.#count = count;
  }
  protected override handleDemand(demand: number): number[] {
    const first = this.#next;
    this.#next = Math.min(first + demand, this.#count);
    return range(this.#next - first, first);
  }
}

/** Emits what it is told to, by message or info; reports what it is asked for, and who comes and goes. */
export class Queue<T = unknown> extends Producer<T> {
  readonly #reports: Reports;
  constructor(reports: Reports = []) {
    super();
    this.#reports = reports;
  }
  queue(events: readonly T[]): "queued" {
    this.emit(events);
    return "queued";
  }
  /** As the next thing that is handled after what waits in the buffer. */
  note(line: string): void {
    this.self.afterBuffered(() => void this.#reports.push(line));
  }
  leave(reason: ExitReason): "left" {
    this.self.stop(reason);
    return "left";
  }
  protected override handleDemand(demand: number): void {
    this.#reports.push(["demand", demand]);
  }
  protected override handleInfo(events: unknown): void {
    this.emit(events as readonly T[]);
  }
  protected override handleSubscribe(role: Role, _terms: SubscriptionTerms, { tag }: From): void {
    this.#reports.push(["subscribe", role, tag]);
  }
  protected override handleCancel({ kind, reason }: CancelCause, { tag }: From): void {
    this.#reports.push([kind, reason, tag]);
  }
  protected override terminate(reason: ExitReason): void {
    this.#reports.push(["terminate", reason]);
  }
}

/** Emits how much it was asked for, once. */
export class DemandEmitter extends Producer<number> {
  protected override handleDemand(demand: number): number[] {
    return [demand];
  }
}

/** Each event twice. */
export class Doubler extends ProducerConsumer<number, number> {
  readonly #reports: Reports;
  constructor(reports: Reports = []) {
    super();
    this.#reports = reports;
  }
  note(line: string): void {
    this.self.afterBuffered(() => void this.#reports.push(line));
  }
  protected override handleEvents(events: readonly number[]): number[] {
    this.#reports.push(events);
    return events.flatMap((event) => [event, event]);
  }
  protected override handleSubscribe(role: Role, _terms: SubscriptionTerms, { tag }: From): void {
    this.#reports.push(["subscribe", role, tag]);
  }
  protected override handleCancel({ kind, reason }: CancelCause, { tag }: From): void {
    this.#reports.push([kind, reason, tag]);
  }
}

/** Emits what it got in a message of its own. */
export class Postponer extends ProducerConsumer<number, number> {
  readonly #reports: Reports;
  constructor(reports: Reports = []) {
    super();
    this.#reports = reports;
  }
  later(events: readonly number[]): void {
    this.emit([...events]);
  }
  protected override handleEvents(events: readonly number[]): void {
    this.#reports.push(events);
    refOf<Postponer>(this).cast.later(events);
  }
}

/** Emits nothing of what it gets. */
export class Discarder extends ProducerConsumer<number, number> {
  readonly #reports: Reports;
  constructor(reports: Reports = []) {
    super();
    this.#reports = reports;
  }
  protected override handleEvents(events: readonly number[]): void {
    this.#reports.push(events);
  }
}

/** Reports its batches, and everything else that befalls it. */
export class Forwarder<T = number> extends Consumer<T> {
  readonly #reports: Reports;
  constructor(reports: Reports = []) {
    super();
    this.#reports = reports;
  }
  note(line: string): void {
    this.self.afterBuffered(() => void this.#reports.push(line));
  }
  leave(reason: ExitReason): void {
    this.self.stop(reason);
  }
  protected override handleEvents(events: readonly T[]): void | Promise<void> {
    this.#reports.push(events);
  }
  protected override handleSubscribe(
    role: Role,
    _terms: SubscriptionTerms,
    { tag }: From,
  ): "automatic" | "manual" | void {
    this.#reports.push(["subscribe", role, tag]);
  }
  protected override handleCancel({ kind, reason }: CancelCause, { tag }: From): void {
    this.#reports.push([kind, reason, tag]);
  }
  protected override handleInfo(message: unknown): void {
    this.#reports.push(["info", message]);
  }
  protected override terminate(reason: ExitReason): void {
    this.#reports.push(["terminate", reason]);
  }
}

/** Sleeps over its first batch until it is told to stop. */
export class Sleeper extends Forwarder {
  protected override handleEvents(events: readonly number[]): Promise<void> {
    void super.handleEvents(events);
    const { signal } = this.self;
    return new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
  }
}

/** The batches among the reports. */
export const batches = (reports: Reports): number[][] =>
  reports.filter((report) => Array.isArray(report) && typeof report[0] !== "string") as number[][];
