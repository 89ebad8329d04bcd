import { invalidOption } from "../support/internal.ts";
import { currentSystem, type System } from "../runtime/internal.ts";
import type { Cell } from "./cell.ts";
import { Indirect } from "./indirect.ts";
import { processes } from "./process-table.ts";
import type { ProcessRef } from "./ref.ts";
import type { Name } from "./target.ts";

class RegisteredName extends Indirect {
  readonly key: string;
  readonly bound: System | undefined;

  constructor(key: string, bound: System | undefined) {
    super();
    this.key = key;
    this.bound = bound;
  }

  get label(): string {
    return `the name ${this.key}`;
  }

  get system(): System {
    return this.bound ?? currentSystem();
  }

  "~resolve"(): Cell | undefined {
    return this.system.get(processes).names.get(this.key);
  }

  "~in"(system: System): RegisteredName {
    return new RegisteredName(this.key, system);
  }

  whereis(): ProcessRef | undefined {
    return this["~resolve"]()?.ref;
  }
}

/**
 * A typed token for a registered process. It needs only the type of the process, so that modules which talk to each
 * other do not import each other. It is resolved at each send, in the current system. One exported token per name: two
 * with one text are one name, whatever they say of its process.
 *
 * ```ts
 * import { Process, child, name, startSupervisor } from "sluice";
 *
 * class Greeter extends Process {
 *   greet(who: string): string {
 *     return `hello ${who}`;
 *   }
 * }
 * const greeter = name<Greeter>("greeter");
 * await using app = await startSupervisor({
 *   strategy: "one_for_one",
 *   children: { greeter: child(Greeter, { name: greeter }) },
 * });
 * console.info(await greeter.call.greet("world"), app.pid);
 * ```
 */
export function name<P>(key: string): Name<P> {
  if (typeof key !== "string" || key === "") throw invalidOption("name", key, "a text");
  return new RegisteredName(key, undefined) as unknown as Name<P>;
}

/** A family of names, one per key: a registry with unique keys. */
export function names<P>(family: string): (key: string) => Name<P> {
  return (key) => name(`${family}/${key}`);
}
