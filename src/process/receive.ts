import { SluiceError } from "../support/internal.ts";
import { log } from "../telemetry/internal.ts";
import type { Cell } from "./cell.ts";
import {
  Kind,
  type ClosureMessage,
  type DrainMessage,
  type ExitMessage,
  type InfoMessage,
  type Message,
  type UserMessage,
} from "./message.ts";
import { drop } from "./send.ts";
import { State } from "./state.ts";
import { isDeferred, isThenable, type Deferred } from "./thenable.ts";

/** The first kind of the layers above. */
const above = 16;

/** Handles one message; a thenable it returns holds the mailbox. */
export function receive(cell: Cell, message: Message): unknown {
  const { kind } = message;
  // What a pipeline lives on is not compared with all the rest.
  if (kind >= above) return cell.engine?.receive(message);
  switch (kind) {
    case Kind.user:
      return receiveUser(cell, message as UserMessage);
    case Kind.closure:
      if ((message as ClosureMessage).counted) cell.waiting--;
      return (message as ClosureMessage).content();
    case Kind.info:
      return receiveInfo(cell, (message as InfoMessage).content);
    case Kind.exit:
      return cell.more?.trap?.(
        (message as ExitMessage).from as Cell,
        (message as ExitMessage).content,
      );
    case Kind.drain:
      return receiveDrain(cell, message as DrainMessage);
    default:
      return cell.engine?.receive(message);
  }
}

function receiveUser(cell: Cell, message: UserMessage): unknown {
  cell.waiting--;
  cell.inHand = message;
  const instance = cell.instance!;
  const method = instance[message.name] as (...args: unknown[]) => unknown;
  const result = method.apply(instance, message.args as unknown[]);
  if (!isThenable(result)) return message.reply === undefined ? undefined : answer(cell, result);
  if (!isDeferred(result)) return result;
  defer(cell, message, result);
  return undefined;
}

/** What a callback gave is the reply to the call in hand, if it is one. */
export function answer(cell: Cell, value: unknown): undefined {
  const { inHand } = cell;
  if (inHand === undefined) return;
  const { reply, name } = inHand;
  if (reply === undefined) return;
  if (value === cell.instance) reply.settle(leak(cell, name), undefined);
  else reply.settle(undefined, value);
}

/** Whoever held the object could change it between two messages. */
function leak(cell: Cell, name: string): SluiceError<"SLUICE_INVALID_RETURN"> {
  return new SluiceError(
    "SLUICE_INVALID_RETURN",
    `${name} of ${cell.pid} returned the process itself: its object stays inside, its ref may leave`,
    { callback: name, got: "this", expected: "data, or refOf(this)" },
  );
}

/** Nobody waits for what was offered: refused, it is dropped and counted. */
export function letGo(cell: Cell, offered: Deferred): void {
  offered["~settled"]((error) => {
    if (error !== undefined && cell.state !== State.dead) drop(cell, cell.table);
  });
}

/** The reply waits for what was offered, the mailbox does not. */
function defer(cell: Cell, { reply }: UserMessage, result: Deferred): void {
  if (reply === undefined) return letGo(cell, result);
  const replies = (cell.extras.replies ??= new Set());
  replies.add(reply);
  result["~settled"]((error, value) => {
    replies.delete(reply);
    reply.settle(error, value);
  });
}

function receiveInfo(cell: Cell, message: unknown): unknown {
  cell.waiting--;
  const { instance } = cell;
  if (instance?.handleInfo !== undefined) return instance.handleInfo(message);
  log("warning", `${cell.pid} got an info and has no handleInfo`, message);
  return undefined;
}

function receiveDrain(cell: Cell, { content: reply }: DrainMessage): undefined {
  const own = cell.more?.own?.tasksOver();
  const drained = cell.engine?.drain?.();
  if (drained === undefined && own === undefined) reply.settle(undefined, undefined);
  else
    Promise.all([drained, own]).then(
      () => reply.settle(undefined, undefined),
      (error: unknown) => reply.settle(error, undefined),
    );
}
