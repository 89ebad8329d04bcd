import { SluiceError, describeReason, isOrderly, type ExitReason } from "../support/internal.ts";
import { exited, log, zombie } from "../telemetry/internal.ts";
import { abortReason, isThenable } from "./abort.ts";
import { State, type Cell } from "./cell.ts";
import type { Extras } from "./extras.ts";
import { ChildExitMessage, Kind, type DrainMessage, type UserMessage } from "./message.ts";

/** The stop begins: signals abort, the callback in hand has its grace. */
export function beginStop(cell: Cell): void {
  const wasStarting = cell.state === State.starting;
  cell.state = State.ending;
  const reason = cell.stopReason!;
  cell.engine?.stopping?.(reason);
  cell.more?.controller?.abort(abortReason(reason));
  cell.more?.own?.abort(reason);
  if (wasStarting && !cell.busy) cell.die(reason);
  else if (cell.busy) grace(cell);
}

/** From now on `shutdown` ms until the kill. */
function grace(cell: Cell): void {
  const { shutdown } = cell.plan;
  const { extras, system } = cell;
  extras.cancelGrace?.();
  if (typeof shutdown !== "number") return;
  const entry = system.after(shutdown, () => {
    extras.terminating?.abort(abortReason("killed"));
    cell.kill("killed");
  });
  extras.cancelGrace = () => system.cancel(entry);
}

/** Runs `terminate` with a grace of its own, then ends; with none, ends at once. */
export function terminate(cell: Cell): void {
  const reason = cell.stopReason!;
  if (cell.more?.terminating !== undefined || cell.instance?.terminate === undefined) {
    return cell.die(reason);
  }
  const controller = (cell.extras.terminating = new AbortController());
  grace(cell);
  const result = cell.instance.terminate(reason, { signal: controller.signal });
  if (isThenable(result)) cell.hold(result, () => cell.die(reason));
  else cell.die(reason);
}

/** The end: the name is free, then all who asked are told, through their own mailboxes. */
export function end(cell: Cell, reason: ExitReason): void {
  const started = cell.state !== State.starting;
  cell.state = State.dead;
  cell.doom = reason;
  const { table, more, parent } = cell;
  table.remove(cell);
  if (cell.busy) {
    table.zombies++;
    if (zombie.active) zombie.emit({ pid: cell.pid, count: table.zombies });
  }
  if (more !== undefined) release(cell, more, reason);
  cell.engine?.exited?.(reason);
  refuseAll(cell, reason);
  if (started && parent === undefined && !isOrderly(reason)) {
    log("error", `${cell.pid} ended: ${describeReason(reason)}`, reason);
  }
  if (exited.active) exited.emit({ pid: cell.pid, label: cell.plan.label, reason });
  if (parent === undefined) return;
  parent.more?.children?.remove(cell);
  parent.send(new ChildExitMessage(cell, reason));
}

/** The callback of a killed process has ended: nothing of it counts any more. */
export function lay(cell: Cell): void {
  if (!cell.busy) return;
  cell.busy = false;
  const { table } = cell;
  table.zombies--;
  if (zombie.active) zombie.emit({ pid: cell.pid, count: table.zombies });
  cell.more?.onLaid?.();
}

function release(cell: Cell, more: Extras, reason: ExitReason): void {
  if (more.names !== undefined) for (const key of more.names) cell.table.names.delete(key);
  more.cancelGrace?.();
  if (more.controller?.signal.aborted === false) more.controller.abort(abortReason(reason));
  more.own?.release();
  if (more.watching !== undefined) for (const unwatch of more.watching) unwatch();
  if (more.links !== undefined) {
    for (const linked of more.links) {
      linked.more?.links?.delete(cell);
      linked.exitSignal(cell, reason);
    }
  }
  if (more.children !== undefined) {
    for (const child of more.children)
      child.exitSignal(cell, reason === "normal" ? "shutdown" : reason);
  }
  if (more.onDead !== undefined) for (const told of more.onDead) told(reason);
}

/** Calls that nobody will answer any more are told so. */
function refuseAll(cell: Cell, reason: ExitReason): void {
  const refuse = ({ reply }: UserMessage): void =>
    reply?.settle(unanswered(cell, reason), undefined);
  if (cell.inHand?.kind === Kind.user) refuse(cell.inHand as UserMessage);
  for (let message = cell.head; message !== undefined; message = message.next) {
    if (message.kind === Kind.user) refuse(message as UserMessage);
    else if (message.kind === Kind.drain)
      (message as DrainMessage).reply.settle(undefined, undefined);
  }
  cell.head = cell.tail = cell.inHand = undefined;
  if (cell.more?.replies === undefined) return;
  for (const reply of cell.more.replies) reply.settle(unanswered(cell, reason), undefined);
}

function unanswered(cell: Cell, reason: ExitReason): SluiceError<"SLUICE_EXITED"> {
  const message = `${cell.pid} ended before it replied (${describeReason(reason)})`;
  return new SluiceError("SLUICE_EXITED", message, { reason });
}
