import { System, currentSystem, thread } from "../runtime/internal.ts";

/** One node of several in one program: a system of its own, whose processes take turns with those of the others. */
export interface TestNode {
  /** Its world; `system.of` binds a topic, a name or an endpoint to it. */
  readonly system: System;
  /** Runs a function as if it were a program of its own: what is started in it, before an `await`, is of this node. */
  readonly run: <T>(body: () => T) => T;
}

/**
 * A node beside the current system, on the same Runtime, so that several share virtual time and a simulation chooses
 * among the processes of all. Whoever starts something on it stops it.
 */
export function testNode(): TestNode {
  const base = currentSystem();
  const system = new System(base.runtime, base.queue);
  const scope = { system, scopeSignal: new AbortController().signal };
  return {
    system,
    run(body) {
      const outer = thread.running;
      thread.running = scope;
      try {
        return body();
      } finally {
        thread.running = outer;
      }
    },
  };
}
