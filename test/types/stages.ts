// What the compiler refuses in processes, stages, supervisors and tests, and what it must not refuse. Nothing of this
// runs: `tsc` is the test. The numbers tell the mistakes apart.
import {
  Consumer,
  Process,
  Producer,
  ProducerConsumer,
  SluiceError,
  bufferedCount,
  child,
  consumer,
  consumerSupervisor,
  currentSystem,
  demandDispatcher,
  demandMode,
  filter,
  flatMap,
  forEach,
  from,
  map,
  name,
  names,
  producer,
  resubscribe,
  run,
  setDemandMode,
  start,
  startSupervisor,
  stop,
  subscribe,
  supervisor,
  topology,
  withSystem,
  type Address,
  type DemandMode,
  type ConsumerSupervisor,
  type Dispatcher,
  type ErrorCode,
  type From,
  type Ref,
  type Target,
} from "sluice";
import { probeConsumer, probeProducer, simulate } from "sluice/testing";

interface Push {
  readonly user: number;
  readonly text: string;
}
class Inbox extends Producer<Push> {
  #count = 0;
  protected override handleDemand(_demand: number): void {}
  push(item: Push): Promise<void> {
    this.#count += 1;
    return this.offer([item]);
  }
  size(): number {
    return this.#count;
  }
  async lookup(id: string): Promise<Push | undefined> {
    return this.size() > id.length ? undefined : { user: 1, text: id };
  }
}
class Sink extends Consumer<Push> {
  readonly #path: string;
  constructor(path: string) {
    super();
    this.#path = path;
  }
  protected override handleEvents(events: readonly Push[]): void {
    void [events, this.#path];
  }
}
class Numbers extends Producer<number> {}
class Halver extends ProducerConsumer<number, number> {
  protected override handleEvents(events: readonly number[]): number[] {
    return events.map((n) => n / 2);
  }
}
const inbox = name<Inbox>("inbox");
const numbers = name<Numbers>("numbers");
declare const ref: Ref<Inbox>;
declare const dispatcherOfNumbers: Dispatcher<number>;

// ---- What compiles: events of a class, a name, a ref, a child slot; and a consumer of less than what comes.
child(Sink, { args: ["out.log"], subscribeTo: [inbox, ref, { to: inbox, maxDemand: 5 }] });
const size: Promise<number> = ref.call.size();
const found: Promise<Push | undefined> = inbox.call.lookup("x");
const bound: typeof inbox = currentSystem().of(inbox);
const family = names<Inbox>("inbox");
child(Inbox, {
  name: family("a"),
  dispatcher: demandDispatcher(),
  bufferSize: 1,
  bufferKeep: "first",
});
interface Pushable {
  push(item: Push): Promise<void>;
}
declare function takes<P>(target: Target<P>): void;
takes<Pushable>(ref as unknown as Target<Pushable>);
class LoudInbox extends Inbox {
  override push(item: Push): Promise<void> {
    return super.push(item);
  }
  volume(): number {
    return 11;
  }
}
child(LoudInbox, { name: inbox });
class Wide extends Consumer<{ readonly text: string }> {
  protected override handleEvents(_events: readonly { readonly text: string }[]): void {}
}
child(Wide, { subscribeTo: [inbox] });
const lines = child(
  from(() => ["a", "b"]),
  { name: name<Producer<string>>("lines") },
);
const lengths = map((line: string) => line.length);
const flow = child(lengths, { subscribeTo: [name<Producer<string>>("lines")] });
const doubled = child(
  flatMap((n: number) => [n, n]),
  { subscribeTo: [numbers] },
);
child(Sink, { args: [""], concurrency: 8, key: ({ user }) => user, subscribeTo: [inbox] });
child(lengths, { concurrency: 4, order: "ordered", batchSize: 10 });
const notify = child(
  forEach((push: Push, { signal }) => console.info(push, signal)),
  { concurrency: 4, order: "unordered", subscribeTo: [inbox] },
);
// @ts-expect-error a consumer emits nothing that could be in order
child(Sink, { args: [""], concurrency: 8, order: "ordered" });
// @ts-expect-error the key of something else
child(Sink, { args: [""], concurrency: 8, key: (line: string) => line });
// @ts-expect-error a producer handles no events
child(Inbox, { concurrency: 8 });
const odd = filter((n: number) => n % 2 === 1);
const pull = producer<number>((demand) => Array.from({ length: demand }, () => 1));
const print = consumer((events: readonly Push[], { signal }) => console.info(events, signal));
class Parent extends Process {
  protected override async init(): Promise<void> {
    await this.self.startLinked(Sink, { args: [""] });
  }
}
await run(
  {
    strategy: "one_for_one",
    children: { inbox: child(Inbox), tree: supervisor({ strategy: "one_for_all", children: {} }) },
  },
  {
    ready: async (app) => app.children.inbox.callWith({ timeoutMs: 1 }).push({ user: 1, text: "" }),
  },
);

// ---- Wiring
const strings = name<Producer<string>>("strings");
class Ints extends Consumer<number> {
  protected override handleEvents(_events: readonly number[]): void {}
}
// @ts-expect-error 1 wrong event type through a name
child(Sink, { args: ["out.log"], subscribeTo: [numbers] });
// @ts-expect-error 2 wrong event type with options
child(Sink, { args: ["out.log"], subscribeTo: [{ to: numbers, maxDemand: 5 }] });
// @ts-expect-error 3 subscribing to a consumer
child(Sink, { args: ["out.log"], subscribeTo: [name<Sink>("sink")] });
// @ts-expect-error 14 a producer does not subscribe
child(Inbox, { subscribeTo: [numbers] });
// @ts-expect-error 13 a consumer has no buffer
child(Sink, { args: [""], bufferSize: 1 });
// @ts-expect-error 15 wrong class under a name
child(Numbers, { name: inbox });
// @ts-expect-error 16 a worker for other events
consumerSupervisor((n: number) => n, { restart: "transient", subscribeTo: [inbox] });
// @ts-expect-error 17 permanent would never give the slot back
consumerSupervisor((p: Push) => p, { restart: "permanent", subscribeTo: [inbox] });
const jobs = name<ConsumerSupervisor<Push>>("jobs");
// What it is registered under may say what it takes.
consumerSupervisor((push, { signal }) => [push.user, signal], { name: jobs, restart: "temporary" });
// @ts-expect-error 70 the name says Push
consumerSupervisor((n: number, { signal }) => [n, signal], { name: jobs, restart: "temporary" });
// @ts-expect-error 71 a child is started with an event
void jobs.call.startChild(1);
// @ts-expect-error 41 infinite demand is spelt by nobody
child(Sink, { args: [""], subscribeTo: [{ to: inbox, maxDemand: "infinity" }] });
// @ts-expect-error 40 the consumer of a running stage gets its own events only
void subscribe(await start(Sink, { args: [""] }), { to: numbers });
// @ts-expect-error 59 a dispatcher for other events
child(Inbox, { dispatcher: dispatcherOfNumbers });
// @ts-expect-error 60 a probe of other events
child(probeConsumer<number>().stage, { subscribeTo: [inbox] });
// @ts-expect-error 62 a Producer<string> into a Consumer<number>
child(Ints, { subscribeTo: [strings] });
// @ts-expect-error 63 what a processor makes is not what it takes
child(print, { subscribeTo: [name<ProducerConsumer<Push, number>>("sizes")] });
// @ts-expect-error 64 a name of a producer of other events
child(pull, { name: inbox });

// ---- Messages
// @ts-expect-error 4 unknown message
void inbox.cast.pusch;
// @ts-expect-error 5 wrong argument
inbox.cast.push({ user: "1", text: "" });
// @ts-expect-error 6 callbacks are not messages
void inbox.cast.handleDemand;
// @ts-expect-error 7 emit is not a message
void inbox.cast.emit;
// @ts-expect-error 8 the result of a cast is nothing
const castSize: number = inbox.cast.size();
// @ts-expect-error 9 the result of a call is a promise
const callSize: number = inbox.call.size();

// ---- Classes and their options
// @ts-expect-error 10 constructor arguments missing
child(Sink, { subscribeTo: [inbox] });
// @ts-expect-error 11 wrong constructor argument
child(Sink, { args: [1] });
// @ts-expect-error 12 misspelt option
child(Inbox, { buferSize: 1 });
// @ts-expect-error 61 a misspelt child option
child(Inbox, { exlusive: true });
class Bad extends Producer<Push> {
  go(): void {
    // @ts-expect-error 18 emitting the wrong type
    this.emit([1]);
    // @ts-expect-error 65 trying the wrong type
    this.tryOffer(["text"]);
  }
}
class Bad2 extends Producer<Push> {
  // @ts-expect-error 19 returning the wrong type
  protected override handleDemand(): number[] {
    return [1];
  }
}
class Bad3 extends Consumer<Push> {
  // @ts-expect-error 20 handleEvents for other events
  protected override handleEvents(_: readonly number[]): void {}
}
class Bad4 extends Producer<Push> {
  // @ts-expect-error 21 a base member cannot be a message
  emit(x: number): void {
    void x;
  }
}
// @ts-expect-error 22 a forgotten callback
class Bad5 extends Consumer<Push> {}
class Bad6 extends Producer<Push> {
  go(): Promise<void> {
    // @ts-expect-error 54 offering the wrong type
    return this.offer([1]);
  }
}
class Bad7 extends Process {
  protected override async init(): Promise<void> {
    // @ts-expect-error 58 a linked child's constructor arguments
    await this.self.startLinked(Sink);
  }
}
class Bad8 extends ProducerConsumer<number, string> {
  // @ts-expect-error 66 what it makes is of another type
  protected override handleEvents(events: readonly number[]): readonly number[] {
    return events;
  }
}

// ---- Supervisors and programs
void startSupervisor({
  strategy: "one_for_one",
  children: {
    // @ts-expect-error 23 integer-like ids would be reordered
    1: child(Inbox),
  },
});
// @ts-expect-error 24 unknown strategy
void startSupervisor({ strategy: "one_for_none", children: {} });
const tree = await startSupervisor({
  strategy: "one_for_one",
  children: { inbox: child(Inbox), sink: child(Sink, { args: [""] }) },
});
// @ts-expect-error 25 unknown child
void tree.children.outbox;
// @ts-expect-error 26 a child's unknown message
void tree.children.inbox.cast.scrape;
// @ts-expect-error 27 subscribing to a child that emits other events
child(Halver, { subscribeTo: [tree.children.inbox] });
// @ts-expect-error 67 subscribing to a child that emits nothing
child(Sink, { args: [""], subscribeTo: [tree.children.sink] });
await run(
  { strategy: "one_for_one", children: { inbox: child(Inbox) } },
  {
    // @ts-expect-error 57 an unknown child of the program
    ready: (app) => void app.children.outbox,
  },
);

// ---- Demand modes, resubscribing
declare const anySink: Ref<Sink>;
declare const halver: Ref<Halver>;
const mode: DemandMode = demandMode(halver);
setDemandMode(inbox, mode);
const waiting: number = bufferedCount(ref);
// @ts-expect-error 131 a consumer has no demand mode
demandMode(anySink);
// @ts-expect-error 132 nor a buffer
bufferedCount(anySink);
// @ts-expect-error 133 there are two modes
setDemandMode(inbox, "backward");
// @ts-expect-error 134 a producer-consumer does not accumulate
child(Halver, { demand: "accumulate" });
const renewed: Promise<From> = resubscribe(anySink, { tag: 1 }, { to: inbox });
// @ts-expect-error 135 the other producer emits something else
void resubscribe(anySink, { tag: 1 }, { to: numbers });
void [waiting, renewed];

// ---- Errors, addresses, tests
// @ts-expect-error 55 an unknown code
SluiceError.is(null, "SLUICE_MAILBOX_FUL");
const code: ErrorCode = "SLUICE_MAILBOX_FULL";
declare const address: Address<Inbox>;
// @ts-expect-error 56 processes have no address on other nodes
void address.node;
const probe = probeProducer<number>();
const asked: readonly number[] = probe.asks;
// @ts-expect-error 68 a probe emits its own events only
probe.emit(["1"]);
// @ts-expect-error 69 only tokens are bound to a system
currentSystem().of(probe);
const seen = probeConsumer<Push>();
await simulate(
  async ({ seed, advance, always, quiet }) => {
    await using app = await startSupervisor({
      strategy: "one_for_one",
      children: {
        inbox: child(Inbox, { name: inbox }),
        seen: child(seen.stage, { subscribeTo: [inbox] }),
      },
    });
    always("one producer", () => topology(app).nodes.length <= 3);
    await app.children.inbox.call.push({ user: seed, text: "" });
    await advance(1_000);
    await quiet();
  },
  { seeds: 500, faults: { crash: 0.01 } },
);
const reply: number = await withSystem(async (system) => {
  await using running = await start(Inbox, { name: inbox });
  await system.of(inbox).call.push({ user: 1, text: "" });
  await stop(running);
  return running.address.thread;
});
void [
  size,
  found,
  bound,
  lines,
  flow,
  notify,
  doubled,
  odd,
  print,
  castSize,
  callSize,
  code,
  asked,
  reply,
];
void [Bad, Bad2, Bad3, Bad4, Bad5, Bad6, Bad7, Bad8, Parent, LoudInbox];
