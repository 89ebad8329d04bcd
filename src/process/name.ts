import { invalidOption } from "../support/internal.ts";
import { currentSystem, type System, type Token } from "../runtime/internal.ts";
import type { Cell } from "./cell.ts";
import { Indirect } from "./indirect.ts";
import { processes } from "./process-table.ts";
import type { ProcessRef } from "./ref.ts";
import type { Name, Ref } from "./target.ts";

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

/** A family of names: a registry with unique keys. */
export interface Names<P> extends Token<Names<P>> {
  /** The name of one key. */
  (key: string): Name<P>;
  /** What the names of the family have in common. */
  readonly key: string;
  /** Who is registered now, by key: to tell all of them, `for (const ref of rooms.all().values()) ref.cast.close()`. */
  all(): ReadonlyMap<string, Ref<P>>;
  /** How many are registered now. */
  count(): number;
}

/**
 * A family of names, one per key. A process is in it from before its `init` to its end.
 *
 * ```ts
 * import { Process, names, start } from "sluice";
 *
 * class Room extends Process {
 *   close(): void {
 *     this.self.stop();
 *   }
 * }
 * const rooms = names<Room>("room");
 * await using lobby = await start(Room, { name: rooms("lobby") });
 * console.info(rooms.count(), [...rooms.all().keys()], rooms("lobby").whereis()?.pid);
 * for (const room of rooms.all().values()) room.cast.close();
 * await lobby.exited;
 * ```
 * @throws SLUICE_INVALID_OPTION
 */
export function names<P>(family: string): Names<P> {
  if (typeof family !== "string" || family === "") throw invalidOption("names", family, "a text");
  return familyIn(family, undefined) as Names<P>;
}

function familyIn(family: string, bound: System | undefined): unknown {
  const prefix = `${family}/`;
  const entries = function* (): IterableIterator<[string, ProcessRef]> {
    const table = (bound ?? currentSystem()).get(processes);
    for (const [key, cell] of table.names)
      if (key.startsWith(prefix)) yield [key.slice(prefix.length), cell.ref];
  };
  return Object.assign((key: string) => new RegisteredName(`${prefix}${key}`, bound), {
    key: family,
    all: () => new Map(entries()),
    count: () => [...entries()].length,
    "~in": (system: System) => familyIn(family, system),
  });
}
