import { keepShape, type ExitReason } from "../support/internal.ts";

/** What a message is; numbers from 16 on belong to the layers above. */
export const Kind = { user: 0, closure: 1, info: 2, exit: 3, childExit: 4, drain: 5 } as const;

/**
 * One entry of a mailbox: data, chained to the one behind it. Whoever handles a mailbox meets messages of all kinds; the
 * compiler finds `kind` at once among four shapes, and has to search among more. So kinds share shapes.
 */
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

/** The shape of all kinds of this layer that are neither calls nor casts. */
class Notice implements Message {
  readonly kind: number;
  next: Message | undefined = undefined;
  readonly content: unknown;
  readonly from: object | undefined;
  readonly counted: boolean;
  constructor(kind: number, content: unknown, from: object | undefined, counted: boolean) {
    this.kind = kind;
    this.content = content;
    this.from = from;
    this.counted = counted;
  }
}

/** Work of the process itself: a timer, the end of a task, a down. */
export interface ClosureMessage extends Message {
  readonly content: () => unknown;
  /** It takes one of the places for user messages. */
  readonly counted: boolean;
}
export function closureMessage(run: () => unknown, counted = false): ClosureMessage {
  return new Notice(Kind.closure, run, undefined, counted) as ClosureMessage;
}

/** Anything for `handleInfo`. */
export interface InfoMessage extends Message {
  readonly content: unknown;
}
export function infoMessage(info: unknown): InfoMessage {
  return new Notice(Kind.info, info, undefined, true);
}

/** The end of a linked process, for one that traps exits; of a child, for its parent. */
export interface ExitMessage extends Message {
  readonly from: object;
  readonly content: ExitReason;
}
export function exitMessage(from: object, reason: ExitReason): ExitMessage {
  return new Notice(Kind.exit, reason, from, false) as ExitMessage;
}
export function childExitMessage(child: object, reason: ExitReason): ExitMessage {
  return new Notice(Kind.childExit, reason, child, false) as ExitMessage;
}

/** Finish what you have; the reply comes when nothing is left. Stages close their sources on it. */
export interface DrainMessage extends Message {
  readonly content: Reply;
}
export function drainMessage(reply: Reply): DrainMessage {
  return new Notice(Kind.drain, reply, undefined, false) as DrainMessage;
}

keepShape(new UserMessage("", [], undefined));
keepShape(closureMessage(() => undefined));
