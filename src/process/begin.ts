import { thread } from "../runtime/internal.ts";
import { invalidOption } from "../support/internal.ts";
import { behaviourOf, isDead, learn } from "./behaviour.ts";
import type { Cell, Instance } from "./cell.ts";
import { end } from "./end.ts";
import { State } from "./state.ts";
import { isThenable } from "./thenable.ts";

const none: readonly unknown[] = [];

/** The first turn of a process: its object is made, `init` runs, then the engine begins. */
export function begin(cell: Cell): void {
  const { process, work } = cell.plan;
  if (work !== undefined) return beginWork(cell, work);
  cell.instance = construct(cell);
  const behaviour = behaviourOf(process);
  if (!behaviour.learned) learn(behaviour, cell.instance);
  if (isDead(behaviour, cell.instance))
    throw invalidOption(
      "process",
      process,
      "a class that extends Process or a stage, or has messages",
    );
  const result = cell.instance.init?.();
  if (isThenable(result)) cell.hold(result, () => initialised(cell));
  else initialised(cell);
}

function construct(cell: Cell): Instance {
  thread.making = cell;
  try {
    return Reflect.construct(cell.plan.process, cell.args) as Instance;
  } finally {
    thread.making = undefined;
    cell.args = none;
  }
}

function initialised(cell: Cell): void {
  const result = cell.state === State.starting ? cell.engine?.started?.() : undefined;
  if (isThenable(result)) cell.hold(result, () => up(cell));
  else up(cell);
}

/** It is up; or, asked to stop meanwhile, about to end in order. */
function up(cell: Cell): void {
  if (cell.state === State.aborting) {
    cell.state = State.ending;
    return;
  }
  cell.state = State.running;
  const { onStart } = cell;
  if (onStart === undefined) return;
  cell.onStart = undefined;
  onStart(undefined);
}

/** The whole life of a process that is one function: it is up, it runs, it is gone. */
function beginWork(cell: Cell, work: NonNullable<Cell["plan"]["work"]>): void {
  up(cell);
  const result = work(cell);
  if (isThenable(result)) cell.hold(result, workOver);
  else workOver(result, cell);
}

function workOver(_result: unknown, cell: Cell): void {
  end(cell, cell.stopReason ?? "normal");
}
