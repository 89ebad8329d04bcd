// Processes
export { Process, refOf } from "./process.ts";
export type { Context, Self } from "./process.ts";
export { info, start, stop } from "./start.ts";
export { name, names } from "./name.ts";
export type { Names } from "./name.ts";
export { sleep } from "./sleep.ts";
export { startTask, task } from "./task.ts";
export type { RunningTask, Task } from "./task.ts";
export { taskStream } from "./task-stream.ts";
export type { TaskStreamOptions } from "./task-stream.ts";
export type {
  Acceptance,
  Address,
  CallOptions,
  Calls,
  Casts,
  Emission,
  MessageName,
  Name,
  NameFor,
  NotAConsumer,
  NotAProducer,
  Ref,
  Refusal,
  Running,
  Target,
} from "./target.ts";
export type { CallbackName } from "./callback-names.ts";
export type { Fn } from "./behaviour.ts";

// Supervisors
export { child } from "./child-spec.ts";
export type {
  ChildOptions,
  ChildSpec,
  OptionalArgument,
  OptionsOf,
  OwnOptions,
  Restart,
  WithArgs,
} from "./child-spec.ts";
export { startSupervisor, supervisor } from "./supervisor.ts";
export type {
  Children,
  RunningSupervisor,
  Strategy,
  Supervisor,
  SupervisorOptions,
} from "./supervisor.ts";
export { dynamicSupervisor, startDynamicSupervisor } from "./dynamic-supervisor.ts";
export type {
  DynamicSupervisor,
  DynamicSupervisorOptions,
  StartChild,
} from "./dynamic-supervisor.ts";
export type { SupervisedOptions } from "./supervisor-spec.ts";
export type { ChildCounts, ChildInfo } from "./supervised.ts";
export type { Backoff } from "./backoff.ts";
export type { AnyProcessClass } from "./plan.ts";
export { drain } from "./drain.ts";
export type { DrainOptions, DrainReport, Leftover } from "./drain.ts";
export type { Backlog } from "./backlog.ts";
export { run } from "./run.ts";
export type { RunOptions } from "./run.ts";
export { withSystem } from "./with-system.ts";
export type { Clock, SystemOptions } from "./with-system.ts";
