import type { Context } from "../process/index.ts";
import type { SluiceError } from "../support/internal.ts";

/** A demand handed to `handleDemand`, and the signal of what was opened for it. */
export class Fetch implements Context {
  readonly demand: number;
  result: PromiseLike<unknown> | undefined = undefined;
  controller: AbortController | undefined = undefined;
  /** Why it is not wanted any more. */
  over: SluiceError | undefined = undefined;

  constructor(demand: number) {
    this.demand = demand;
  }

  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.over !== undefined) this.controller.abort(this.over);
    }
    return this.controller.signal;
  }

  abort(why: SluiceError): void {
    this.over ??= why;
    this.controller?.abort(why);
  }
}
