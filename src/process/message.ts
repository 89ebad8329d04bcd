import type { ExitReason } from "../support/internal.ts";

/** What a message is; numbers from 16 on belong to the stage layer. */
export const Kind = { user: 0, closure: 1, info: 2, exit: 3, childExit: 4, drain: 5 } as const;

/** One entry of a mailbox: data, chained to the one behind it. */
export interface Message {
  readonly kind: number;
  next: Message | undefined;
}

/** Where the result of a call goes. */
export interface Reply {
  settle(error: unknown, value: unknown): void;
}

/** A call or a cast: the name and the arguments of a public method, and where the reply goes. */
export class UserMessage implements Message {
  readonly kind: number = Kind.user;
  next: Message | undefined = undefined;
  readonly name: string;
  readonly args: readonly unknown[];
  readonly reply: Reply | undefined;
  constructor(name: string, args: readonly unknown[], reply: Reply | undefined) {
    this.name = name;
    this.args = args;
    this.reply = reply;
  }
}

/** Anything for `handleInfo`. */
export class InfoMessage implements Message {
  readonly kind: number = Kind.info;
  next: Message | undefined = undefined;
  readonly message: unknown;
  constructor(message: unknown) {
    this.message = message;
  }
}

/** Work of the process itself: a timer, the end of a task, a down. */
export class ClosureMessage implements Message {
  readonly kind: number = Kind.closure;
  next: Message | undefined = undefined;
  readonly run: () => unknown;
  /** It takes one of the places for user messages. */
  readonly counted: boolean;
  constructor(run: () => unknown, counted = false) {
    this.run = run;
    this.counted = counted;
  }
}

/** The end of a linked process, for one that traps exits. */
export class ExitMessage implements Message {
  readonly kind: number = Kind.exit;
  next: Message | undefined = undefined;
  readonly from: object;
  readonly reason: ExitReason;
  constructor(from: object, reason: ExitReason) {
    this.from = from;
    this.reason = reason;
  }
}

/** The end of a child, for its parent. */
export class ChildExitMessage implements Message {
  readonly kind: number = Kind.childExit;
  next: Message | undefined = undefined;
  readonly child: object;
  readonly reason: ExitReason;
  constructor(child: object, reason: ExitReason) {
    this.child = child;
    this.reason = reason;
  }
}

/** Finish what you have; the reply comes when nothing is left. Stages close their sources on it. */
export class DrainMessage implements Message {
  readonly kind: number = Kind.drain;
  next: Message | undefined = undefined;
  readonly reply: Reply;
  constructor(reply: Reply) {
    this.reply = reply;
  }
}
