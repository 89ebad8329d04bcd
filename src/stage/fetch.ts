import type { Context } from "../process/index.ts";
import { LazySignal } from "../process/internal.ts";
import { keepShape, type SluiceError } from "../support/internal.ts";

/** A demand handed to `handleDemand`, and the signal of what was opened for it. */
export class Fetch implements Context {
  readonly demand: number;
  result: PromiseLike<unknown> | undefined = undefined;
  /** Made when it is needed: most fetches are over when `handleDemand` returns. */
  #lazy: LazySignal | undefined = undefined;

  constructor(demand: number) {
    this.demand = demand;
  }

  get lazy(): LazySignal {
    return (this.#lazy ??= new LazySignal());
  }

  get signal(): AbortSignal {
    return this.lazy.signal;
  }

  /** Why it is not wanted any more. */
  get over(): SluiceError | undefined {
    return this.#lazy && LazySignal.why(this.#lazy);
  }

  abort(why: SluiceError): void {
    LazySignal.abort(this.lazy, why);
  }
}

keepShape(new Fetch(0));
