export { LazySignal, abortReason, isAbort } from "./abort.ts";
export { Cell } from "./cell.ts";
export { State } from "./state.ts";
export { cellOf } from "./process.ts";
export { baseClass } from "./behaviour.ts";
export { isDeferred, isThenable, type Deferred } from "./thenable.ts";
export type { Engine, Figures, Upstream } from "./engine.ts";
export { ChildExitMessage, ClosureMessage, Kind, type Message } from "./message.ts";
export { processes } from "./process-table.ts";
export { specOf } from "./child-spec.ts";
export { planOf, workPlan, type Plan } from "./plan.ts";
export { watch } from "./monitor.ts";
export { gone, startFailed, stopCell } from "./spawn.ts";
export { stopChild } from "./stop-child.ts";
export { giveUp } from "./give-up.ts";
export { Waits, checkBackoff } from "./backoff.ts";
export { cellAt, checkKnown, lastAt } from "./check.ts";
export { ErrorReply } from "./error-reply.ts";
export { Later } from "./later.ts";
<<<<<<< HEAD
export { backlogOf } from "./backlog.ts";
=======
export { settledBeside } from "./end.ts";
>>>>>>> e056e05 (feat(stage): work in flight: concurrency, order, key, batchSize)
export { Task } from "./task.ts";
export { drainAndStop } from "./drain-rounds.ts";
export { interrupts } from "./run.ts";
export { restartsOf } from "./supervised.ts";
export { RestartIntensity } from "./restart-intensity.ts";
export { drop, putBack, sendWork } from "./send.ts";
export { ownOf, type Open, type Own } from "./self.ts";
export { leftBehind, systemTurn } from "./with-system.ts";
export { sleep } from "./sleep.ts";
