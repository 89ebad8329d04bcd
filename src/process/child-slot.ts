import type { System } from "../runtime/internal.ts";
import type { Cell } from "./cell.ts";
import { Indirect } from "./indirect.ts";
import type { SupervisorEngine } from "./supervisor-engine.ts";

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

  /** The incarnation that was up last, also when it has ended. */
  "~last"(): Cell | undefined {
    return (this.supervisor.engine as SupervisorEngine | undefined)?.lastCell(this.id);
  }

  "~resolve"(): Cell | undefined {
    return (this.supervisor.engine as SupervisorEngine | undefined)?.childCell(this.id);
  }
}
