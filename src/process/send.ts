import { dropped } from "../telemetry/internal.ts";
import type { Cell } from "./cell.ts";
import { closureMessage, type Message } from "./message.ts";
import { State } from "./state.ts";

/** Drops a message for which there is no place, and counts it. */
export function drop(cell: Cell | undefined, table: { dropped: number }): void {
  table.dropped++;
  if (dropped.active) dropped.emit({ pid: cell?.pid, count: 1 });
}

/** Sends a user message if there is a place for it. */
export function sendUser(cell: Cell, message: Message): boolean {
  if (cell.closed || cell.waiting >= cell.plan.maxMailbox) return false;
  cell.waiting++;
  cell.send(message);
  return true;
}

/** Sends work that takes a place of a user message; to a full mailbox or a stopping process it is dropped and counted. */
export function sendWork(cell: Cell, run: () => unknown): void {
  if (!sendUser(cell, closureMessage(run, true))) drop(cell, cell.table);
}

/** Puts messages back before all that wait, in their order. */
export function putBack(cell: Cell, messages: Iterable<Message>): void {
  if (cell.state === State.dead) return;
  const rest = cell.head;
  let last: Message | undefined;
  for (const message of messages) {
    if (last === undefined) cell.head = message;
    else last.next = message;
    last = message;
  }
  if (last === undefined) return;
  last.next = rest;
  // A mailbox of one message has no tail.
  if (rest !== undefined) cell.tail ??= rest;
  else if (last !== cell.head) cell.tail = last;
  if (!cell.busy) cell.system.queue.ready(cell);
}
