import type { Cell } from "./cell.ts";
import type { Figures } from "./engine.ts";

/** The places of a stage where work waits or is in hand, by the names of their gauges. */
const stagePlaces = ["waiting", "queued", "reordering", "buffered", "offers", "running"] as const;

/**
 * What waits in one process or is in hand, by place; only places that are not empty. `mailbox` user messages, `tasks`
 * work beside the mailbox (`self.task`), `waiting` events before the callback, `queued` events in the dispatcher,
 * `reordering` calls that have ended and wait for an earlier one, `buffered` events behind the callback, `offers` that
 * wait for a place, `running` callbacks, or children, in hand.
 */
export type Backlog = {
  readonly [P in "mailbox" | "tasks" | (typeof stagePlaces)[number]]?: number;
};

const none: Figures = {};

/** Reads it, without waiting for the process. */
export function backlogOf(cell: Cell): Backlog {
  const figures = cell.engine?.inspect?.().figures ?? none;
  const backlog: Record<string, number> = {};
  const add = (place: string, count: number): void => {
    if (count > 0) backlog[place] = count;
  };
  add("mailbox", cell.waiting);
  add("tasks", cell.more?.own?.wanted ?? 0);
  for (const place of stagePlaces) add(place, figures[place] ?? 0);
  if (figures.running === undefined) add("running", cell.busy ? 1 : 0);
  return backlog;
}

/** The same for people: `buffered 3, running 1`. */
export function describeBacklog(backlog: Backlog): string {
  return Object.entries(backlog)
    .map(([place, count]) => `${place} ${count}`)
    .join(", ");
}
