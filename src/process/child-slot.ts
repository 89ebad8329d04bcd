import type { System } from "../runtime/internal.ts";
import type { Cell } from "./cell.ts";
import { Indirect } from "./indirect.ts";
import type { SupervisorProcess } from "./supervisor-process.ts";

/** A supervisor's child by its id, whichever incarnation runs. */
export class ChildSlot extends Indirect {
  readonly supervisor: Cell;
  readonly id: string;

  constructor(supervisor: Cell, id: string) {
    super();
    this.supervisor = supervisor;
    this.id = id;
  }

  get system(): System {
    return this.supervisor.system;
  }

  get label(): string {
    return `the child ${this.id} of ${this.supervisor.pid}`;
  }

  "~resolve"(): Cell | undefined {
    return (this.supervisor.instance as unknown as SupervisorProcess | undefined)?.childCell(
      this.id,
    );
  }
}
