import { SluiceError, isOrderly, type ExitReason } from "../support/internal.ts";
import { State, watch, type Cell, type Upstream } from "../process/internal.ts";
import { Intake } from "./intake.ts";
import { StageKind, down, subscribe, transmit } from "./protocol.ts";
import { wanted, type From, type Wanted } from "./subscription.ts";

/** The accepting side of a stage: the producers that it subscribed to. */
export class Inlet {
  readonly cell: Cell;
  readonly intakes: Map<number, Intake> = new Map();
  /** The largest window so far. */
  largest = 1;
  /** What an unstated `minDemand` is. */
  readonly leastDefault: (maxDemand: number) => number;

  constructor(cell: Cell, leastDefault: (maxDemand: number) => number) {
    this.cell = cell;
    this.leastDefault = leastDefault;
  }

  /**
   * Subscribes to one producer: subscribes, lets `manual` say who asks, then asks, unless it is by hand. Nobody there,
   * and temporary: no subscription.
   * @throws SLUICE_INVALID_OPTION, SLUICE_NO_PROCESS, SLUICE_NOT_A_PRODUCER
   */
  subscribe(
    given: unknown,
    path: string,
    manual: (terms: Wanted, from: From) => boolean,
  ): Intake | undefined {
    const terms = wanted(given, path, this.leastDefault);
    const { cell } = this;
    const producer = producerOf(terms, path);
    if (producer === undefined) return undefined;
    cell.table.addressed.set(cell.id, cell);
    const tag = cell.system.nextId();
    const { maxDemand, minDemand, partition } = terms;
    const intake = new Intake(tag, producer, terms);
    this.intakes.set(tag, intake);
    this.largest = Math.max(this.largest, maxDemand);
    transmit(producer, subscribe(tag, cell.id, { maxDemand, minDemand, partition }));
    intake.unwatch = watch(cell, producer, (reason) => down(StageKind.producerDown, tag, reason));
    try {
      intake.manual = manual(terms, intake);
    } catch (error) {
      this.remove(tag);
      intake.cancel();
      throw error;
    }
    if (!intake.manual) intake.ask(maxDemand);
    return intake;
  }

  /** Forgets a subscription that has ended. */
  remove(tag: number): Intake | undefined {
    const intake = this.intakes.get(tag);
    intake?.unwatch?.[Symbol.dispose]();
    this.intakes.delete(tag);
    return intake;
  }

  /** Does the stage end with a subscription that ended for this reason? */
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

  /** Asked for and not come yet, over all subscriptions. */
  get asked(): number {
    let sum = 0;
    for (const { pending, running } of this.intakes.values()) sum += pending - running;
    return sum;
  }
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
  const { pid: target, state, engine } = producer;
  if (state !== State.starting && engine?.role.startsWith("producer") !== true) {
    const message = `${path}: ${target} is no producer`;
    throw new SluiceError("SLUICE_NOT_A_PRODUCER", message, { target });
  }
  return producer;
}
