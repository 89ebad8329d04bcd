import { behaviourOf } from "./behaviour.ts";
import { callbackNames } from "./callback-names.ts";
import type { Plan } from "./plan.ts";

/** What sends one message. */
type Stub = (...args: unknown[]) => unknown;

/** What sends the messages of one process, by their names. */
export type Stubs = { readonly [message: string]: Stub };

/** One function per message of the class. */
export function stubsOf(plan: Plan, make: (message: string) => Stub): Stubs {
  const { messages, learned } = behaviourOf(plan.process);
  // Its functions in fields are known when the first object of the class has been made.
  if (!learned && plan.work === undefined) return anyStubs(make);
  const stubs: Record<string, Stub> = {};
  for (const name of messages) stubs[name] = make(name);
  return stubs;
}

/** Whatever the message: where the class is not known. */
export function anyStubs(make: (message: string) => Stub): Stubs {
  return new Proxy<Stubs>(
    {},
    {
      get: (_stubs, name) =>
        typeof name === "string" && !callbackNames.has(name) ? make(name) : undefined,
    },
  );
}
