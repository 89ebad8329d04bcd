// Where TypeScript does less, or other, than one would think; the manual says what to do instead. `tsc` is the test.
import {
  Consumer,
  Process,
  Producer,
  child,
  consumer,
  name,
  refOf,
  type Casts,
  type Name,
  type Ref,
  type Target,
} from "sluice";

interface Page {
  readonly url: string;
}

// 1. The parameters of an overriding method are not inferred: the event's type is written twice, and checked.
class Bare extends Consumer<Page> {
  // @ts-expect-error the parameter has no type of its own
  protected override handleEvents(events): void {
    void events;
  }
}
// The shorthand writes it once.
consumer((pages: readonly Page[]) => void pages[0]?.url);

// 2. `self` is not generic: a process's own ref is `refOf<Inbox>(this)`, and a message to itself is a closure.
class Inbox extends Producer<Page> {
  flushed = 0;
  push(page: Page): Promise<void> {
    this.self.after(500, () => this.#flush());
    return this.offer([page]);
  }
  own(): Ref<Inbox> {
    return refOf<Inbox>(this);
  }
  #flush(): void {
    this.flushed++;
  }
}
declare const ofThis: <T extends Inbox>(cast: Casts<T>) => void;
ofThis<Inbox>({} as Casts<Inbox>);

// 4. Options stand in `super(…)` and in `child(…)`, where a misspelt one is seen.
class Small extends Producer<Page> {
  constructor() {
    // @ts-expect-error a misspelt option
    super({ bufferSise: 1 });
  }
}
class Fine extends Producer<Page> {
  constructor() {
    super({ bufferSize: 1 });
  }
}

// 5. Messages are neither overloaded nor generic: of overloads the last is left, a type parameter is what it extends.
class Overloaded extends Process {
  get(key: string): string;
  get(key: number): number;
  get(key: string | number): string | number {
    return key;
  }
  same<T>(value: T): T {
    return value;
  }
}
declare const overloaded: Ref<Overloaded>;
const last: Promise<number> = overloaded.call.get(1);
// @ts-expect-error the first signature is gone
const first: Promise<string> = overloaded.call.get("a");
// @ts-expect-error what comes back is unknown
const generic: Promise<string> = overloaded.call.same("a");
// A generic class is fine.
class Cache<V> extends Process {
  readonly #entries = new Map<string, V>();
  get(key: string): V | undefined {
    return this.#entries.get(key);
  }
}
const cached: Promise<Date | undefined> = name<Cache<Date>>("dates").call.get("today");

// 6. A message that returns `this` compiles; at run time it is refused.
class Fluent extends Process {
  with(): this {
    return this;
  }
}
const leaked: Promise<Fluent> = name<Fluent>("fluent").call.with();

// 7. A function in a field is a message, as a method is.
class Fields extends Process {
  readonly double = (n: number): number => n * 2;
}
const doubled: Promise<number> = name<Fields>("fields").call.double(2);

// 9. Refs are structural over their messages, though classes with # members are not.
class LoudInbox extends Inbox {
  volume(): number {
    return 11;
  }
}
declare const loud: Ref<LoudInbox>;
const quiet: Ref<Inbox> = loud;
interface Pushable {
  push(page: Page): Promise<void>;
}
const pushable: Target<Pushable>["call"] = loud.call;
// @ts-expect-error the class itself is not
const nominal: Inbox = { push: async () => {}, own: () => loud } as { push(): Promise<void> };

// 10. Awaiting a cast compiles and waits for nothing; its value is of no use.
declare const inbox: Name<Inbox>;
// oxlint-disable-next-line typescript/await-thenable -- this is the pitfall
await inbox.cast.push({ url: "" });
// @ts-expect-error a cast has no result
const sent: Promise<void> = inbox.cast.push({ url: "" });

// 11. The base's names are taken; a method named like a callback is silently no message.
class Colliding extends Process {
  // @ts-expect-error `self` is the runtime's
  self(): void {}
}
class Silent extends Process {
  terminateAll(): void {}
  protected override terminate(): void {}
}
declare const silent: Ref<Silent>;
silent.cast.terminateAll();
// @ts-expect-error a callback is no message
void silent.cast.terminate;

// 12. Two tokens with one text may disagree on the class; registration is checked against the token at hand.
const right = name<Inbox>("one text");
const wrong = name<Overloaded>("one text");
child(Inbox, { name: right });
// @ts-expect-error not under this token
child(Inbox, { name: wrong });

// 17. A subclass without a constructor takes its base's options as `args`, too: harmless.
child(Inbox, { args: [{ bufferSize: 1 }] });

void [
  Bare,
  Small,
  Fine,
  last,
  first,
  generic,
  cached,
  leaked,
  doubled,
  quiet,
  pushable,
  nominal,
  sent,
  Colliding,
];
