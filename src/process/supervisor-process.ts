import { checkInteger, invalidOption } from "../support/internal.ts";
import { checkKnown, checkName, checkOneOf } from "./check.ts";
import { Process, cellOf } from "./process.ts";
import { SupervisorEngine, type SupervisorConfig } from "./supervisor-engine.ts";
import { countsOf, type ChildCounts, type ChildInfo } from "./supervised.ts";

const known: ReadonlySet<string> = new Set([
  "name",
  "strategy",
  "maxRestarts",
  "maxSeconds",
  "autoShutdown",
  "children",
]);

/** What a supervisor is asked, as messages; its engine knows how. */
export class SupervisorProcess extends Process {
  readonly #engine: SupervisorEngine;

  /** @throws SLUICE_INVALID_OPTION */
  static check(options: SupervisorConfig & { readonly name?: unknown }): void {
    if (typeof options !== "object" || options === null)
      throw invalidOption("options", options, "an object");
    checkKnown("supervisor", options, known);
    const { strategy, maxRestarts = 3, maxSeconds = 5, autoShutdown = "never", children } = options;
    checkName(options.name);
    checkOneOf("strategy", strategy, ["one_for_one", "one_for_all", "rest_for_one"]);
    checkOneOf("autoShutdown", autoShutdown, ["never", "any_significant", "all_significant"]);
    checkInteger("maxRestarts", maxRestarts, 0);
    checkInteger("maxSeconds", maxSeconds, 1);
    if (typeof children !== "object" || children === null || Array.isArray(children))
      throw invalidOption("children", children, "children by id");
    for (const [id, spec] of Object.entries(children)) {
      const option = `children: ${id}`;
      if (/^\d+$/.test(id))
        throw invalidOption(option, id, "an id that is no number, which JavaScript would reorder");
      if (spec?.["~plan"] === undefined)
        throw invalidOption(option, spec, "a spec made by child(…), supervisor(…) or the like");
      if (spec.significant && autoShutdown === "never")
        throw invalidOption(`${option}: significant`, true, 'false while autoShutdown is "never"');
    }
  }

  constructor(config: SupervisorConfig) {
    super();
    const cell = cellOf(this);
    cell.engine = this.#engine = new SupervisorEngine(cell, config);
  }

  protected override init(): Promise<void> {
    return this.#engine.startAll();
  }

  protected override terminate(): Promise<void> {
    return this.#engine.stopAll();
  }

  whichChildren(): readonly ChildInfo[] {
    return this.#engine.children.map(({ info }) => info);
  }

  countChildren(): ChildCounts {
    return countsOf(this.whichChildren());
  }

  restartChild(id: string): Promise<void> {
    return this.#engine.restartChild(id);
  }

  terminateChild(id: string): Promise<void> {
    return this.#engine.terminateChild(id);
  }
}
