import { SluiceError, describeReason, isOrderly, type ExitReason } from "../support/internal.ts";
import { exited, log, zombie } from "../telemetry/internal.ts";
import { LazySignal, abortReason, isAbort } from "./abort.ts";
import type { Cell } from "./cell.ts";
import { ErrorReply } from "./error-reply.ts";
import type { Extras } from "./extras.ts";
import { Kind, childExitMessage, type DrainMessage, type UserMessage } from "./message.ts";
import { State } from "./state.ts";
import { isThenable } from "./thenable.ts";

/** The stop begins, once: signals abort, the callback in hand has its grace. */
export function beginStop(cell: Cell): void {
  if (cell.state > State.running) return;
  const up = cell.state === State.running;
  const reason = cell.stopReason!;
  cell.state = up ? State.ending : State.aborting;
  cell.engine?.stopping?.(reason);
  if (cell.more?.context !== undefined) LazySignal.abort(cell.more.context, abortReason(reason));
  cell.more?.own?.abort(reason);
  if (cell.busy) grace(cell);
  else if (!up) end(cell, reason);
}

/** From now on `shutdown` ms until the kill. One that stops by itself has no such limit where `shutdown` is `"kill"`. */
function grace(cell: Cell): void {
  const { extras, system } = cell;
  const { shutdown } = cell.plan;
  if (extras.grace !== undefined) system.cancel(extras.grace);
  if (typeof shutdown !== "number") return;
  extras.grace = system.after(shutdown, () => {
    LazySignal.abort(extras.terminating, abortReason("killed"));
    cell.kill("killed");
  });
}

/** Runs `terminate` with a grace of its own, then ends; with none, ends at once. */
export function terminate(cell: Cell): void {
  cell.engine?.finishing?.();
  if (cell.more !== undefined && cell.more.beside > 0) {
    // It has the grace of a callback in hand, and terminate does not run beside it.
    if (cell.more.grace === undefined) grace(cell);
    return;
  }
  const reason = cell.stopReason!;
  if (cell.more?.terminating !== undefined || cell.instance?.terminate === undefined)
    return end(cell, reason);
  const deadline = (cell.extras.terminating = new LazySignal());
  grace(cell);
  const result = cell.instance.terminate(reason, deadline);
  if (isThenable(result)) cell.hold(result, () => end(cell, reason));
  else end(cell, reason);
}

/** A callback has thrown or rejected: the end of the process, unless it was the stop itself that made it reject. */
export function fail(cell: Cell, error: unknown): void {
  const { state, more } = cell;
  if (state === State.dead || cell.doom !== undefined) return;
  if (state === State.running && isErrorReply(error)) return replyError(cell, error);
  cell.alert = true;
  const crash = { crash: error };
  if (state === State.starting) return end(cell, crash);
  if (!isAbort(error, LazySignal.made(more?.context))) cell.stopReason = crash;
  if (state === State.aborting) return end(cell, cell.stopReason!);
  try {
    beginStop(cell);
    terminate(cell);
  } catch (second) {
    end(cell, { crash: second });
  }
}

function isErrorReply(error: unknown): error is ErrorReply {
  try {
    return error instanceof ErrorReply;
  } catch {
    // A value that cannot even be looked at.
    return false;
  }
}

function replyError(cell: Cell, { cause }: ErrorReply): void {
  const { reply } = cell.inHand!;
  cell.inHand = undefined;
  if (reply === undefined) log("error", `${cell.pid} could not do what a cast asked for`, cause);
  else reply.settle(cause, undefined);
}

/** The end: the name is free, then all who asked are told, through their own mailboxes. Nothing of it counts any more. */
export function end(cell: Cell, reason: ExitReason): void {
  if (cell.state === State.dead) return;
  const { table, more, parent, plan, onStart } = cell;
  cell.state = State.dead;
  cell.alert = true;
  cell.doom = reason;
  table.remove(cell);
  if (plan.name !== undefined) table.names.delete(plan.name);
  // What has settled and was not looked at any more is no zombie.
  if (cell.settled !== undefined) cell.busy = false;
  const running = (cell.busy ? 1 : 0) + (more?.beside ?? 0);
  if (running > 0) countZombies(cell, running);
  release(cell, reason);
  cell.engine?.exited?.(reason);
  refuseAll(cell, reason);
  if (onStart !== undefined) onStart(reason);
  else if (parent === undefined && !isOrderly(reason))
    log("error", `${cell.pid} ended: ${describeReason(reason)}`, reason);
  if (exited.active) exited.emit({ pid: cell.pid, label: plan.label, reason });
  if (parent === undefined) return;
  parent.children?.remove(cell);
  if (parent.engine !== undefined) parent.send(childExitMessage(cell, reason));
}

/** The callback of a killed process has ended. */
export function lay(cell: Cell): void {
  if (!cell.busy) return;
  cell.busy = false;
  laid(cell);
}

/** Work of a stage that ran beside its mailbox has ended. */
export function settledBeside(cell: Cell): void {
  cell.more!.beside--;
  if (cell.state === State.dead) laid(cell);
  else if (cell.state === State.ending) cell.system.queue.ready(cell);
}

function laid(cell: Cell): void {
  countZombies(cell, -1);
  if (!cell.zombie) cell.more?.onLaid?.();
}

function countZombies(cell: Cell, more: number): void {
  const { table, parent } = cell;
  table.zombies += more;
  if (parent !== undefined) parent.extras.zombies += more;
  if (zombie.active) zombie.emit({ pid: cell.pid, count: table.zombies });
}

function release(cell: Cell, reason: ExitReason): void {
  const { more, children } = cell;
  if (more !== undefined) letGo(cell, more, reason);
  if (children !== undefined) {
    for (const child of children) child.exitSignal(cell, reason === "normal" ? "shutdown" : reason);
  }
  if (more?.onDead !== undefined) for (const told of more.onDead) told(reason);
}

function letGo(cell: Cell, more: Extras, reason: ExitReason): void {
  if (more.grace !== undefined) cell.system.cancel(more.grace);
  if (more.context !== undefined) LazySignal.abort(more.context, abortReason(reason));
  more.own?.release(reason);
  if (more.watching !== undefined) for (const unwatch of more.watching) unwatch();
  if (more.links !== undefined) {
    for (const linked of more.links) {
      linked.more?.links?.delete(cell);
      linked.exitSignal(cell, reason);
    }
  }
}

/** Calls that nobody will answer any more are told so. */
function refuseAll(cell: Cell, reason: ExitReason): void {
  const refuse = ({ reply }: UserMessage): void =>
    reply?.settle(unanswered(cell, reason), undefined);
  if (cell.inHand !== undefined) refuse(cell.inHand);
  for (let message = cell.head; message !== undefined; message = message.next) {
    if (message.kind === Kind.user) refuse(message as UserMessage);
    else if (message.kind === Kind.drain)
      (message as DrainMessage).content.settle(undefined, undefined);
  }
  cell.head = cell.tail = cell.inHand = undefined;
  if (cell.more?.replies === undefined) return;
  for (const reply of cell.more.replies) reply.settle(unanswered(cell, reason), undefined);
}

function unanswered(cell: Cell, reason: ExitReason): SluiceError<"SLUICE_EXITED"> {
  const message = `${cell.pid} ended before it replied (${describeReason(reason)})`;
  return new SluiceError("SLUICE_EXITED", message, { reason });
}
