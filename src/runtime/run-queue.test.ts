import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { RunQueue, defaultBudgetMs, type Runnable } from "./run-queue.ts";
import type { Runtime } from "./runtime.ts";

/** A host whose clock only work moves, and whose turns the test takes. */
class Host implements Runtime {
  readonly simulated = false;
  readonly microtasks: (() => void)[] = [];
  readonly turns: (() => void)[] = [];
  nowMs = 0;
  looks = 0;

  now(): number {
    this.looks++;
    return this.nowMs;
  }
  wallNow(): number {
    return this.nowMs;
  }
  random(): number {
    return 0;
  }
  soon(run: () => void): void {
    this.microtasks.push(run);
  }
  turn(run: () => void): void {
    this.turns.push(run);
  }
  alarm(): never {
    throw new Error("a run queue has no timers");
  }

  /** All microtasks, as an event loop takes them. */
  settle(): void {
    for (let run = this.microtasks.shift(); run !== undefined; run = this.microtasks.shift()) run();
  }
  /** One turn of the event loop: microtasks first, then what waited for the turn, then its microtasks. */
  loop(): void {
    this.settle();
    for (const run of this.turns.splice(0)) run();
    this.settle();
  }
}

/** A process with so many messages, each of which takes so long. */
class Worker implements Runnable {
  following: Runnable | undefined = undefined;
  queued = false;
  handled = 0;
  /** What each run was allowed. */
  readonly limits: number[] = [];
  readonly #host: Host;
  readonly #queue: RunQueue;
  readonly #messageMs: number;
  readonly trace: string[];
  readonly name: string;
  messages: number;

  constructor(
    host: Host,
    queue: RunQueue,
    messages: number,
    messageMs: number,
    name = "w",
    trace: string[] = [],
  ) {
    this.#host = host;
    this.#queue = queue;
    this.messages = messages;
    this.#messageMs = messageMs;
    this.name = name;
    this.trace = trace;
  }

  run(limit: number): number {
    this.limits.push(limit);
    this.trace.push(this.name);
    const count = Math.min(limit, this.messages);
    this.messages -= count;
    this.handled += count;
    this.#host.nowMs += count * this.#messageMs;
    if (this.messages > 0) this.#queue.ready(this);
    return count || 1;
  }
}

function world(): { readonly host: Host; readonly queue: RunQueue } {
  const host = new Host();
  return { host, queue: new RunQueue(host) };
}

describe("RunQueue", () => {
  it("runs a ready process in a microtask, once, and opens one turn for all that comes meanwhile", () => {
    const { host, queue } = world();
    const worker = new Worker(host, queue, 3, 0);
    queue.ready(worker);
    queue.ready(worker);
    expect([worker.handled, host.microtasks.length, host.turns.length]).toEqual([0, 1, 1]);
    host.settle();
    expect([worker.handled, worker.limits.length]).toEqual([3, 1]);
    worker.messages = 1;
    queue.ready(worker);
    expect([host.microtasks.length, host.turns.length]).toEqual([1, 1]);
    host.loop();
    expect([worker.handled, host.turns.length]).toEqual([4, 0]);
  });

  it("takes ready processes first come, first served, a bounded number of messages each", () => {
    const { host, queue } = world();
    const trace: string[] = [];
    for (const name of ["a", "b", "c"])
      queue.ready(new Worker(host, queue, 64, 0.0001, name, trace));
    host.settle();
    const rounds = trace.join("").match(/.{3}/g);
    expect(new Set(rounds)).toEqual(new Set(["abc"]));
    expect(trace.length).toBeGreaterThanOrEqual(6);
  });

  it("fairness: no process waits for more than one run of each other", () =>
    fc.assert(
      fc.property(
        fc.array(fc.record({ messages: fc.nat(300), ms: fc.constantFrom(0, 0.001, 0.02, 0.5) }), {
          minLength: 2,
          maxLength: 8,
        }),
        (processes) => {
          const { host, queue } = world();
          const trace: string[] = [];
          const workers = processes.map(
            ({ messages, ms }, n) => new Worker(host, queue, messages, ms, String(n), trace),
          );
          for (const worker of workers) queue.ready(worker);
          for (
            let turns = 0;
            turns < 10_000 && (host.turns.length > 0 || host.microtasks.length > 0);
            turns++
          )
            host.loop();
          expect(workers.map(({ messages }) => messages)).toEqual(workers.map(() => 0));
          for (const { limits } of workers) expect(Math.max(...limits)).toBeLessThanOrEqual(32);
          const last = new Map<string, number>();
          for (const [index, name] of trace.entries()) {
            const before = last.get(name);
            if (before !== undefined) {
              const between = trace.slice(before + 1, index);
              expect(new Set(between).size).toBe(between.length);
            }
            last.set(name, index);
          }
        },
      ),
    ));

  it("gives the thread back when the budget of the turn is spent, and goes on in the next", () => {
    const { host, queue } = world();
    const worker = new Worker(host, queue, 1_000, 0.01);
    queue.ready(worker);
    host.settle();
    const first = worker.handled;
    expect(first * 0.01).toBeGreaterThanOrEqual(defaultBudgetMs);
    expect(first * 0.01).toBeLessThan(1.5 * defaultBudgetMs);
    host.settle();
    expect(worker.handled).toBe(first);
    host.loop();
    expect(worker.handled).toBeGreaterThan(first);
  });

  it("E18: promise chains that wake processes without end share the budget of one turn", () => {
    const { host, queue } = world();
    const worker = new Worker(host, queue, 0, 0.01);
    let links = 0;
    const storm = (): void => {
      if (++links > 100_000) return;
      worker.messages++;
      queue.ready(worker);
      host.soon(storm);
    };
    host.soon(storm);
    host.settle();
    // All links of the chain ran, as microtasks do; of the processes only what the turn affords.
    expect(links).toBeGreaterThan(100_000);
    expect(worker.handled * 0.01).toBeLessThan(1.5 * defaultBudgetMs);
    let turns = 0;
    for (; worker.messages > 0; turns++) host.loop();
    expect(turns).toBeGreaterThan(100);
  });

  it("looks at the clock rarely while messages are small, and after each one that is large", () => {
    const { host, queue } = world();
    const small = new Worker(host, queue, 100_000, 0.000_01);
    queue.ready(small);
    host.settle();
    const handled = small.handled;
    expect(host.looks).toBeLessThan(handled / 50);
    small.messages = 0;
    host.loop();
    const large = new Worker(host, queue, 20, 10);
    queue.ready(large);
    for (let turns = 0; turns < 100; turns++) host.loop();
    expect(large.limits).toEqual([4, ...Array.from({ length: 16 }, () => 1)]);
  });

  it("makes progress in every turn, also when one message is longer than the budget", () => {
    const { host, queue } = world();
    const worker = new Worker(host, queue, 200, 50);
    queue.ready(worker);
    for (let turns = 0; turns < 250; turns++) host.loop();
    expect(worker.messages).toBe(0);
  });

  it("takes another budget, and tells how long each drain took", () => {
    const { host, queue } = world();
    const took: number[] = [];
    queue.budgetMs = 10;
    queue.onDrain = (ms) => took.push(ms);
    queue.ready(new Worker(host, queue, 3_000, 0.01));
    host.settle();
    expect(took).toHaveLength(1);
    expect(took[0]).toBeGreaterThanOrEqual(10);
    expect(took[0]).toBeLessThan(15);
  });

  it("goes on when a process throws, which none of ours does", () => {
    const { host, queue } = world();
    queue.ready({
      queued: false,
      following: undefined,
      run(): number {
        throw new Error("a fault of the library");
      },
    });
    const worker = new Worker(host, queue, 1, 0);
    queue.ready(worker);
    expect(() => host.settle()).toThrow("a fault of the library");
    host.loop();
    expect(worker.handled).toBe(1);
  });
});
