import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

const owner: unique symbol = Symbol("sluice.owner");

/** The connection of an upgrade. */
export type Line = Duplex &
  Partial<Pick<Socket, "setTimeout" | "setNoDelay">> & { [owner]?: LineOwner };

/** Whoever has a line. */
export interface LineOwner {
  /** Nothing comes or goes any more. */
  closed(): void;
}

/** From now on the end of a line, and whatever is wrong with it, is this one's business and nobody else's. */
export function own(line: Line, by: LineOwner): void {
  // An error that nobody hears ends the program.
  if (line[owner] === undefined) line.on("close", onClose).on("error", onError);
  line[owner] = by;
}

/** Whoever has a line now. */
export function ownerOf(line: Line): LineOwner | undefined {
  return line[owner];
}

// Shared by all lines: no functions are made for one.

function onClose(this: Line): void {
  this[owner]!.closed();
}

/** The end follows, and is told then. */
function onError(this: Line): void {
  this.destroy();
}
