import type { ExitReason } from "../support/internal.ts";
import { thread, type Runnable, type System } from "../runtime/internal.ts";
import { log } from "../telemetry/internal.ts";
import { abortReason, isAbort, isDeferred, isThenable } from "./abort.ts";
import { behaviourOf, learn } from "./behaviour.ts";
import { Brood } from "./brood.ts";
import { beginStop, end, lay, terminate } from "./end.ts";
import type { Engine } from "./engine.ts";
import { Extras } from "./extras.ts";
import {
  ExitMessage,
  Kind,
  type ClosureMessage,
  type DrainMessage,
  type InfoMessage,
  type Message,
  type UserMessage,
} from "./message.ts";
import type { Plan } from "./plan.ts";
import { processes, type ProcessTable } from "./process-table.ts";
import { drop, makeRef, type ProcessRef } from "./ref.ts";
import { Own } from "./self.ts";

/** Where a process is in its life. */
export const State = { starting: 0, running: 1, ending: 2, dead: 3 } as const;

/** The user's object, with the callbacks it may have. */
interface Instance {
  readonly [message: string]: unknown;
  init?(): unknown;
  terminate?(reason: ExitReason, context: { readonly signal: AbortSignal }): unknown;
  handleInfo?(message: unknown): unknown;
}

/** The callback in hand has settled: what it gave, and what follows. */
interface Settled {
  readonly failed: boolean;
  readonly value: unknown;
  readonly then: ((value: unknown) => unknown) | undefined;
}

/** Made by the constructor of `Process` when the runtime makes an instance. */
export const construction: { cell: Cell | undefined } = { cell: undefined };

/**
 * The engine of one incarnation of one process: mailbox, one callback at a time, end. Its fields are the runtime's own;
 * users hold refs.
 */
export class Cell implements Runnable {
  queued = false;
  busy = false;
  state: number = State.starting;
  /** What the parent keeps with it. */
  note: unknown = undefined;
  /** User messages waiting; the runtime's own are not counted and never refused. */
  waiting = 0;
  readonly id: number;
  readonly system: System;
  readonly table: ProcessTable;
  readonly plan: Plan;
  readonly args: readonly unknown[];
  readonly parent: Cell | undefined;
  instance: Instance | undefined = undefined;
  engine: Engine | undefined = undefined;
  head: Message | undefined = undefined;
  tail: Message | undefined = undefined;
  before: Cell | undefined = undefined;
  after: Cell | undefined = undefined;
  /** The child of the same parent that was started before this one, and the one after. */
  elder: Cell | undefined = undefined;
  younger: Cell | undefined = undefined;
  inHand: Message | undefined = undefined;
  settled: Settled | undefined = undefined;
  /** Stop in order, for this reason. */
  stopReason: ExitReason | undefined = undefined;
  /** End at once, for this reason. */
  doom: ExitReason | undefined = undefined;
  more: Extras | undefined = undefined;

  constructor(
    system: System,
    plan: Plan,
    parent: Cell | undefined,
    args: readonly unknown[] = plan.args,
  ) {
    this.system = system;
    this.id = system.nextId();
    this.table = system.get(processes);
    this.plan = plan;
    this.args = args;
    this.parent = parent;
  }

  get extras(): Extras {
    return (this.more ??= new Extras());
  }

  get pid(): string {
    return `${this.plan.label}#${this.id}`;
  }

  get ref(): ProcessRef {
    return (this.extras.ref ??= makeRef(this));
  }

  get own(): Own {
    return (this.extras.own ??= new Own(this));
  }

  /** Aborts on stop and kill; made on the first read. */
  get signal(): AbortSignal {
    const { extras } = this;
    if (extras.controller === undefined) {
      extras.controller = new AbortController();
      if (this.state >= State.ending)
        extras.controller.abort(abortReason(this.stopReason ?? this.doom ?? "normal"));
    }
    return extras.controller.signal;
  }

  /** Enters the table, takes its name and goes in line for its first turn. @throws SLUICE_ALREADY_REGISTERED */
  begin(): this {
    const { name } = this.plan;
    if (name !== undefined) {
      this.table.register(name, this);
      (this.extras.names ??= []).push(name);
    }
    this.table.add(this);
    if (this.parent !== undefined) (this.parent.extras.children ??= new Brood()).add(this);
    this.system.queue.ready(this);
    return this;
  }

  /** Puts a message at the end of the mailbox. */
  send(message: Message): void {
    if (this.state === State.dead) return;
    if (this.tail === undefined) this.head = message;
    else this.tail.next = message;
    this.tail = message;
    if (!this.busy) this.system.queue.ready(this);
  }

  /** Stops in order: what is in hand may end, `terminate` runs. */
  stop(reason: ExitReason): void {
    if (this.state === State.dead || this.stopReason !== undefined) return;
    if (this.plan.shutdown === "kill") return this.kill("killed");
    this.stopReason = reason;
    this.system.queue.ready(this);
  }

  /** Ends at once; what is in hand is abandoned. */
  kill(reason: ExitReason): void {
    if (this.state === State.dead || this.doom !== undefined) return;
    this.doom = reason;
    this.system.queue.ready(this);
  }

  /** An exit signal of a linked process or of the parent (O6, O8, O17). */
  exitSignal(from: Cell, reason: ExitReason): void {
    if (this.more?.trap !== undefined && from !== this.parent)
      return this.send(new ExitMessage(from, reason));
    if (this.engine?.role === "supervisor" && from === this.parent) return this.stop(reason);
    if (reason !== "normal") this.kill(reason);
  }

  run(limit: number): number {
    if (this.state === State.dead) return 1;
    if (this.doom !== undefined) {
      this.die(this.doom);
      return 1;
    }
    const previous = thread.running;
    thread.running = this;
    let handled = 0;
    try {
      if (this.stopReason !== undefined && this.state < State.ending) beginStop(this);
      if (this.settled !== undefined) this.resume();
      if (this.state === State.starting && !this.busy && this.instance === undefined)
        this.construct(this.plan.work);
      while (
        handled < limit &&
        this.head !== undefined &&
        !this.busy &&
        this.state === State.running &&
        this.stopReason === undefined &&
        this.doom === undefined
      ) {
        const message = this.head;
        this.head = message.next;
        if (this.head === undefined) this.tail = undefined;
        // A handled message that has grown old would keep all that came after it alive.
        else message.next = undefined;
        this.inHand = message;
        handled++;
        const result = this.receive(message);
        if (result !== undefined && isThenable(result)) this.hold(result, undefined);
        else if (!this.busy) this.inHand = undefined;
      }
      if (this.state === State.ending && !this.busy) this.terminate();
    } catch (error) {
      this.fail(error);
    } finally {
      thread.running = previous;
    }
    if (
      this.state !== State.dead &&
      (this.doom !== undefined ||
        (!this.busy && (this.head !== undefined || this.stopReason !== undefined)))
    ) {
      this.system.queue.ready(this);
    }
    return handled || 1;
  }

  /** The first turn: the object is made, `init` runs, then the engine begins. */
  construct(work: Plan["work"]): void {
    if (work !== undefined) return this.work(work);
    construction.cell = this;
    try {
      this.instance = Reflect.construct(this.plan.process, this.args) as Instance;
    } finally {
      construction.cell = undefined;
    }
    const behaviour = behaviourOf(this.plan.process);
    if (!behaviour.learned) learn(behaviour, this.instance);
    const result = this.instance.init?.();
    if (isThenable(result)) this.hold(result, () => this.initialised());
    else this.initialised();
  }

  /** The whole life of a process that is one function: it is up, it runs, it is gone. */
  work(work: (cell: Cell, ...args: readonly unknown[]) => unknown): void {
    this.up();
    const result = work(this, ...this.args);
    if (isThenable(result)) this.hold(result, () => this.die(this.stopReason ?? "normal"));
    else this.die("normal");
  }

  initialised(): unknown {
    const result = this.engine?.started?.();
    if (isThenable(result)) {
      this.hold(result, () => this.up());
      return undefined;
    }
    return this.up();
  }

  up(): void {
    if (this.state !== State.starting) return;
    this.state = State.running;
    const onStarted = this.more?.onStarted;
    if (onStarted === undefined) return;
    this.extras.onStarted = undefined;
    onStarted();
  }

  receive(message: Message): unknown {
    switch (message.kind) {
      case Kind.user:
        return this.receiveUser(message as UserMessage);
      case Kind.closure:
        if ((message as ClosureMessage).counted) this.waiting--;
        return (message as ClosureMessage).run();
      case Kind.info: {
        this.waiting--;
        const { instance } = this;
        if (instance?.handleInfo !== undefined)
          return instance.handleInfo((message as InfoMessage).message);
        log(
          "warning",
          `${this.pid} got an info and has no handleInfo`,
          (message as InfoMessage).message,
        );
        return undefined;
      }
      case Kind.exit:
        return this.more?.trap?.(
          (message as ExitMessage).from as Cell,
          (message as ExitMessage).reason,
        );
      case Kind.drain: {
        const { reply } = message as DrainMessage;
        const drained = this.engine?.drain?.();
        if (drained === undefined) reply.settle(undefined, undefined);
        else
          drained.then(
            (value) => reply.settle(undefined, value),
            (error: unknown) => reply.settle(error, undefined),
          );
        return undefined;
      }
      default:
        return this.engine?.receive(message);
    }
  }

  receiveUser(message: UserMessage): unknown {
    this.waiting--;
    const instance = this.instance!;
    const result = (instance[message.name] as (...args: unknown[]) => unknown).apply(
      instance,
      message.args as unknown[],
    );
    const { reply } = message;
    if (!isThenable(result)) {
      reply?.settle(undefined, result);
      return undefined;
    }
    if (isDeferred(result)) {
      if (reply === undefined) {
        result["~settled"]((error) => {
          if (error !== undefined && this.state !== State.dead) drop(this, this.table);
        });
        return undefined;
      }
      const replies = (this.extras.replies ??= new Set());
      replies.add(reply);
      result["~settled"]((error, value) => {
        replies.delete(reply);
        reply.settle(error, value);
      });
      return undefined;
    }
    this.hold(result, reply === undefined ? undefined : (value) => reply.settle(undefined, value));
    return undefined;
  }

  /** The mailbox waits until `work` has settled; `then` runs in the process's next turn. */
  hold(work: PromiseLike<unknown>, then: ((value: unknown) => unknown) | undefined): void {
    this.busy = true;
    work.then(
      (value) => this.settle({ failed: false, value, then }),
      (error: unknown) => this.settle({ failed: true, value: error, then: undefined }),
    );
  }

  settle(settled: Settled): void {
    if (this.state === State.dead) return lay(this);
    this.settled = settled;
    this.system.queue.ready(this);
  }

  resume(): void {
    const { failed, value, then } = this.settled!;
    this.settled = undefined;
    this.busy = false;
    if (failed) throw value;
    const result = then?.(value);
    if (isThenable(result)) this.hold(result, undefined);
    else if (!this.busy) this.inHand = undefined;
  }

  /** A callback has thrown or rejected. */
  fail(error: unknown): void {
    if (this.state === State.dead) return;
    if (
      this.state === State.ending &&
      this.more?.terminating === undefined &&
      isAbort(error, this.more?.controller?.signal)
    ) {
      this.system.queue.ready(this);
      return;
    }
    const reason: ExitReason = { crash: error };
    if (this.state === State.starting || this.more?.terminating !== undefined)
      return this.die(reason);
    this.stopReason = reason;
    if (this.state === State.running) beginStop(this);
    try {
      this.terminate();
    } catch (second) {
      this.die({ crash: second });
    }
  }

  /** Runs `terminate`, then ends; with none, ends at once. */
  terminate(): void {
    terminate(this);
  }

  /** The end: nothing of this incarnation runs any more. */
  die(reason: ExitReason): void {
    if (this.state !== State.dead) end(this, reason);
  }
}
