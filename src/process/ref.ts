import type { Addressable } from "../support/internal.ts";
import { call } from "./call.ts";
import type { Cell } from "./cell.ts";
import { checkKnown } from "./check.ts";
import { UserMessage } from "./message.ts";
import { printedAs } from "./printed.ts";
import { drop, sendUser } from "./send.ts";
import { State } from "./state.ts";
import { stubsOf, type Stubs } from "./stubs.ts";
import type { CallOptions } from "./target.ts";

const known: ReadonlySet<string> = new Set(["timeoutMs", "signal"]);

/** What every ref is inside: stubs by message name, whatever the class. */
export interface ProcessRef extends Addressable {
  readonly pid: string;
  readonly address: { readonly thread: number; readonly id: number };
  readonly cast: Stubs;
  readonly call: Stubs;
  callWith(options: CallOptions): Stubs;
  "~resolve"(): Cell;
}

/** A ref of a process on this thread. */
export class ResolvedRef implements ProcessRef {
  readonly cell: Cell;
  casts: Stubs | undefined = undefined;
  calls: Stubs | undefined = undefined;

  constructor(cell: Cell) {
    this.cell = cell;
  }

  get pid(): string {
    return this.cell.pid;
  }

  get address(): { readonly thread: number; readonly id: number } {
    const { cell } = this;
    if (cell.state !== State.dead) cell.table.addressed.set(cell.id, cell);
    return { thread: 0, id: cell.id };
  }

  get cast(): Stubs {
    const { cell } = this;
    return (this.casts ??= stubsOf(cell.plan, (name) => (...args) => {
      if (!sendUser(cell, new UserMessage(name, args, undefined))) drop(cell, cell.table);
    }));
  }

  get call(): Stubs {
    return (this.calls ??= this.callWith({}));
  }

  callWith(options: CallOptions): Stubs {
    checkKnown("callWith", options, known);
    const { cell } = this;
    return stubsOf(
      cell.plan,
      (name) =>
        (...args) =>
          call(cell, name, args, options),
    );
  }

  "~resolve"(): Cell {
    return this.cell;
  }

  toString(): string {
    return this.pid;
  }
}

printedAs(ResolvedRef.prototype, ({ pid }) => `Ref [${pid}]`);

/** The ref of a process. */
export function makeRef(cell: Cell): ProcessRef {
  return new ResolvedRef(cell);
}
