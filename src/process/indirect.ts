import { SluiceError } from "../support/internal.ts";
import type { System } from "../runtime/internal.ts";
import type { Cell } from "./cell.ts";
import { processes } from "./process-table.ts";
import { drop } from "./send.ts";
import { anyStubs, type Stubs } from "./stubs.ts";
import type { CallOptions } from "./target.ts";

/** A target that leads to whoever is there now: a name, a child slot. */
export abstract class Indirect {
  abstract readonly system: System;
  abstract readonly label: string;
  abstract "~resolve"(): Cell | undefined;

  get cast(): Stubs {
    const cell = this["~resolve"]();
    if (cell !== undefined) return cell.ref.cast;
    const table = this.system.get(processes);
    return anyStubs(() => () => drop(undefined, table));
  }

  get call(): Stubs {
    return this["~resolve"]()?.ref.call ?? this.#nobody();
  }

  callWith(options: CallOptions): Stubs {
    return this["~resolve"]()?.ref.callWith(options) ?? this.#nobody();
  }

  #nobody(): Stubs {
    const target = this.label;
    const refusal = (name: string): SluiceError<"SLUICE_NO_PROCESS"> =>
      new SluiceError("SLUICE_NO_PROCESS", `no process at ${target}: no ${name}`, { target });
    return anyStubs((name) => () => Promise.reject(refusal(name)));
  }

  toString(): string {
    return this.label;
  }
}
