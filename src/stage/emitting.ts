import type { Cell } from "../process/internal.ts";

/** The prototypes of classes that emit bear it, in whichever copy of the package. */
export const emittingMark = "~emitting";

/** Is it of a class that emits? That is known before its first turn. */
export function emitsEvents({ plan }: Cell): boolean {
  return emittingMark in (plan.process.prototype as object);
}
