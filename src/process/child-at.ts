import { invalidOption, type Addressable } from "../support/internal.ts";
import type { Cell } from "./cell.ts";
import { cellAt } from "./check.ts";
import { ErrorReply } from "./error-reply.ts";

/** The child that a message names, dead or alive; nobody at a free name. What is none of this is the sender's fault. */
export function childAt(supervisor: Cell, target: Addressable): Cell | undefined {
  try {
    const cell = cellAt(target);
    if (cell === undefined || cell.parent === supervisor) return cell;
    throw invalidOption("target", cell.pid, `a child of ${supervisor.pid}`);
  } catch (error) {
    throw new ErrorReply(error);
  }
}
