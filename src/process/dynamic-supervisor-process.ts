import { checkInteger, invalidOption, type Addressable } from "../support/internal.ts";
import { checkKnown, checkName } from "./check.ts";
import type { ChildSpec } from "./child-spec.ts";
import { DynamicSupervisorEngine, type DynamicConfig } from "./dynamic-supervisor-engine.ts";
import { Process, cellOf } from "./process.ts";
import { countsOf, type ChildCounts, type ChildInfo } from "./supervised.ts";

const known: ReadonlySet<string> = new Set(["name", "maxChildren", "maxRestarts", "maxSeconds"]);

/** What a dynamic supervisor is asked, as messages; its engine knows how. */
export class DynamicSupervisorProcess extends Process {
  readonly #engine: DynamicSupervisorEngine;

  /** @throws SLUICE_INVALID_OPTION */
  static check(options: DynamicConfig & { readonly name?: unknown }): void {
    if (typeof options !== "object" || options === null)
      throw invalidOption("options", options, "an object");
    checkKnown("dynamicSupervisor", options, known);
    const { name, maxChildren = Infinity, maxRestarts = 3, maxSeconds = 5 } = options;
    checkName(name);
    if (maxChildren !== Infinity) checkInteger("maxChildren", maxChildren, 0);
    checkInteger("maxRestarts", maxRestarts, 0);
    checkInteger("maxSeconds", maxSeconds, 1);
  }

  constructor(config: DynamicConfig) {
    super();
    const cell = cellOf(this);
    cell.engine = this.#engine = new DynamicSupervisorEngine(cell, config);
  }

  protected override terminate(): Promise<void> {
    return this.#engine.stopAll();
  }

  startChild(spec: ChildSpec<unknown>): PromiseLike<unknown> {
    return this.#engine.startChild(spec);
  }

  terminateChild(target: Addressable | string): PromiseLike<unknown> {
    return this.#engine.terminateChild(target);
  }

  whichChildren(): readonly ChildInfo[] {
    return Array.from(this.#engine.children(), ({ info }) => info);
  }

  countChildren(): ChildCounts {
    return countsOf(this.whichChildren());
  }
}
