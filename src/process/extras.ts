import type { ExitReason, TimerEntry } from "../support/internal.ts";
import type { LazySignal } from "./abort.ts";
import type { Cell } from "./cell.ts";
import type { Reply } from "./message.ts";
import type { ProcessRef } from "./ref.ts";
import type { Own } from "./self.ts";

/** What few processes need, made when the first of it is needed: an idle process is small. */
export class Extras {
  ref: ProcessRef | undefined = undefined;
  own: Own | undefined = undefined;
  /** Its own signal. */
  context: LazySignal | undefined = undefined;
  links: Set<Cell> | undefined = undefined;
  trap: ((from: Cell, reason: ExitReason) => unknown) | undefined = undefined;
  /** Called when the process is gone, by the runtime's own code. */
  onDead: Set<(reason: ExitReason) => void> | undefined = undefined;
  /** What takes back the watches that this process holds on others. */
  watching: Set<() => void> | undefined = undefined;
  /** Callbacks of killed children that still run. */
  zombies = 0;
  /** Called when the callback of a killed process has ended at last. */
  onLaid: (() => void) | undefined = undefined;
  /** How much work of the stage runs beside the mailbox. */
  beside = 0;
  /** Replies that wait for an offer. */
  replies: Set<Reply> | undefined = undefined;
  /** When what is in hand has had its time. */
  grace: TimerEntry<() => void> | undefined = undefined;
  /** The deadline of `terminate`, while it runs. */
  terminating: LazySignal | undefined = undefined;
}
