import { LazySignal } from "../process/internal.ts";

/** A demand handed to `handleDemand`, and the signal of what was opened for it. */
export class Fetch extends LazySignal {
  readonly demand: number;
  result: PromiseLike<unknown> | undefined = undefined;

  constructor(demand: number) {
    super();
    this.demand = demand;
  }
}
