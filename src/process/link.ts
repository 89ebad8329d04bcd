import type { Cell } from "./cell.ts";
import { Kind, type ExitMessage, type Message } from "./message.ts";

/** Ties two lives. */
export function link(one: Cell, other: Cell): void {
  (one.extras.links ??= new Set()).add(other);
  (other.extras.links ??= new Set()).add(one);
}

/** They are two again; what waits to tell `one` of the other's end is taken out of its mailbox (O7). */
export function unlink(one: Cell, other: Cell): void {
  one.more?.links?.delete(other);
  other.more?.links?.delete(one);
  let before: Message | undefined;
  for (let message = one.head; message !== undefined; message = message.next) {
    if (message.kind !== Kind.exit || (message as ExitMessage).from !== other) before = message;
    else if (before === undefined) one.head = message.next;
    else before.next = message.next;
  }
  // A mailbox of one message has no tail.
  one.tail = before === one.head ? undefined : before;
}
