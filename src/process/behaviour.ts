import { callbackNames } from "./callback-names.ts";

/** Any function. */
export type Fn = (...args: never[]) => unknown;

/** What a class can be asked: its messages, found once per class. */
export interface Behaviour {
  readonly messages: Set<string>;
  /** The functions in the fields of its first instance were looked at: `messages` is complete. */
  learned: boolean;
}

const behaviours = new WeakMap<object, Behaviour>();
/** Marks the prototypes of the library's own classes, in whichever copy of the package. */
const base = Symbol.for("sluice.base");

/** Declares that the members of this class are the library's, not messages. */
export function baseClass(constructor: { readonly prototype: object }): void {
  Object.defineProperty(constructor.prototype, base, { value: true });
}

const isMessage = (name: string): boolean =>
  name !== "constructor" && !callbackNames.has(name) && !name.startsWith("~");

/** The messages of a class: its public methods without the callbacks. */
export function behaviourOf(constructor: { readonly prototype: object }): Behaviour {
  const known = behaviours.get(constructor);
  if (known !== undefined) return known;
  const messages = new Set<string>();
  let prototype: object | null = constructor.prototype;
  while (prototype !== null && prototype !== Object.prototype && !Object.hasOwn(prototype, base)) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype)))
      if (typeof value === "function" && isMessage(name)) messages.add(name);
    prototype = Object.getPrototypeOf(prototype) as object | null;
  }
  const behaviour = { messages, learned: false };
  behaviours.set(constructor, behaviour);
  return behaviour;
}

/** Can nobody ask it anything, and is it none of the library's, which may do something by themselves? */
export function isDead({ messages }: Behaviour, instance: object): boolean {
  return messages.size === 0 && !(base in instance);
}

/** Adds functions kept in fields, which the types take for messages too. */
export function learn(behaviour: Behaviour, instance: object): void {
  behaviour.learned = true;
  for (const [name, value] of Object.entries(instance))
    if (typeof value === "function" && isMessage(name)) behaviour.messages.add(name);
}
