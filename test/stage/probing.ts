import type { Addressable } from "sluice";
import { attach } from "sluice/telemetry";
import { probeConsumer, type ConsumerProbe } from "sluice/testing";
import type { Cell } from "../../src/process/internal.ts";

/** `count` numbers from `first` on. */
export const range = (count: number, first = 0): number[] =>
  Array.from({ length: count }, (_, index) => first + index);

/** A consumer that asks for nothing but by hand. */
export function byHand<T>(): ConsumerProbe<T> {
  const probe = probeConsumer<T>();
  probe.ask(0);
  return probe;
}

/** Nothing is printed until it is disposed. */
export const quietly = (): Disposable => attach("sluice.log", () => {});

/** The engine's own side of a process. */
export const cellOf = (process: Addressable): Cell => process["~resolve"]() as Cell;
