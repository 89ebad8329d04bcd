import type { ExitReason } from "../support/internal.ts";
import type { Message } from "./message.ts";

/**
 * Figures of a stage: gauges of this moment, and events counted since its start. Which there are depends on its kind;
 * a dispatcher of one's own may add others.
 */
export interface Figures {
  /** Asked for and not come yet: of a stage that emits by those downstream, of a consumer by itself. */
  readonly asked?: number;
  /** Events that came and wait for the callback. */
  readonly waiting?: number;
  /** Events in the queues of the dispatcher. */
  readonly queued?: number;
  /** Calls that have ended and wait for an earlier one, whose result leaves first. */
  readonly reordering?: number;
  /** Events behind the callback, for which nobody has asked. */
  readonly buffered?: number;
  /** Offers that wait for a place. */
  readonly offers?: number;
  /** Asks that a producer keeps to itself while it accumulates. */
  readonly heldAsks?: number;
  /** Callbacks, pieces of work in flight, or children, in hand. */
  readonly running?: number;
  /** Events handled, or, of a producer, handed out. */
  readonly done?: number;
  /** Events whose child failed for good. */
  readonly failed?: number;
  /** Events that a full buffer let go. */
  readonly dropped?: number;
  readonly [figure: string]: number;
}

/** What an upper layer adds to a process: it handles the message kinds that the process layer does not know. */
export interface Engine {
  /** `"supervisor"`, `"producer"`, …; for introspection. */
  readonly role: string;
  /** After a successful `init`, before any other message. */
  started?(): unknown;
  /** A message of a kind that is not the process layer's. A thenable holds the mailbox until it settles. */
  receive(message: Message): unknown;
  /** Finish and close; a thenable may settle later without holding the mailbox. */
  drain?(): PromiseLike<unknown> | undefined;
  /** Something was handled since the last look; a drain goes round until nothing moves. */
  moved?(): number;
  /** The process is about to stop: end what would keep it waiting. */
  stopping?(reason: ExitReason): void;
  /** The callback in hand has ended, and the process with it: take what work beside the mailbox has given. */
  finishing?(): void;
  /** The process is gone: release what points at it. */
  exited?(reason: ExitReason): void;
  /** Runs after everything that is buffered now. */
  afterBuffered?(run: () => unknown): void;
  /** Whom it is connected to, and how much waits where. */
  inspect?(): { readonly figures: Figures; readonly upstream: readonly Upstream[] };
}

/** One subscription as seen from its consumer. */
export interface Upstream {
  readonly producer: object;
  readonly maxDemand: number;
  readonly pending: number;
  readonly paused: boolean;
}
