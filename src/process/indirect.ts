import { SluiceError } from "../support/internal.ts";
import type { System } from "../runtime/internal.ts";
import type { Cell } from "./cell.ts";
import { processes } from "./process-table.ts";
import { drop, type ProcessRef } from "./ref.ts";
import type { CallOptions } from "./target.ts";

type Stubs = ProcessRef["cast"];

/** Where nobody is: whatever the message, a cast is dropped and a call rejects. */
function nobody(make: (message: string) => (...args: unknown[]) => unknown): Stubs {
  return new Proxy({} as Stubs, {
    get: (_stubs, message) => (typeof message === "string" ? make(message) : undefined),
  });
}

/** A target that leads to whoever is there now: a name, a child slot. */
export abstract class Indirect {
  abstract readonly system: System;
  abstract readonly label: string;
  abstract "~resolve"(): Cell | undefined;

  get cast(): Stubs {
    const { system } = this;
    return (
      this["~resolve"]()?.ref.cast ?? nobody(() => () => drop(undefined, system.get(processes)))
    );
  }

  get call(): Stubs {
    return this["~resolve"]()?.ref.call ?? this.callWith({});
  }

  callWith(options: CallOptions): Stubs {
    const ref = this["~resolve"]()?.ref;
    if (ref !== undefined) return ref.callWith(options);
    const { label } = this;
    return nobody(
      (message) => () =>
        Promise.reject(
          new SluiceError("SLUICE_NO_PROCESS", `no process at ${label}: no ${message}`, {
            target: label,
          }),
        ),
    );
  }

  toString(): string {
    return this.label;
  }
}
