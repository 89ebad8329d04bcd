import { cellOf, type Later } from "../process/internal.ts";
import { Process, type ChildCounts, type Ref } from "../process/index.ts";
import {
  ConsumerSupervisorEngine,
  type ConsumerSupervisorConfig,
} from "./consumer-supervisor-engine.ts";
import type { EventChildInfo } from "./consumer-supervisor.ts";

/** What a ConsumerSupervisor is asked, as messages; its engine knows how. */
export class ConsumerSupervisorProcess extends Process {
  static readonly "~optionNames": ReadonlySet<string> = new Set(["subscribeTo"]);
  readonly #engine: ConsumerSupervisorEngine;

  constructor(config: ConsumerSupervisorConfig) {
    super();
    const cell = cellOf(this);
    cell.engine = this.#engine = new ConsumerSupervisorEngine(cell, config);
  }

  protected override terminate(): Promise<void> {
    return this.#engine.stopAll();
  }

  startChild(event: unknown): Later<Ref<unknown>> {
    return this.#engine.startChild(event);
  }

  terminateChild(target: Ref<unknown> | string): Later<void> {
    return this.#engine.terminateChild(target);
  }

  whichChildren(): readonly EventChildInfo<unknown, unknown>[] {
    return this.#engine.whichChildren();
  }

  countChildren(): ChildCounts {
    return this.#engine.countChildren();
  }
}
