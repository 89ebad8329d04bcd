import type { ExitReason } from "../support/internal.ts";
import { thread, type Runnable, type Scope, type System } from "../runtime/internal.ts";
import { LazySignal, abortReason } from "./abort.ts";
import { begin } from "./begin.ts";
import { Brood } from "./brood.ts";
import { beginStop, end, fail, lay, terminate } from "./end.ts";
import type { Engine } from "./engine.ts";
import { Extras } from "./extras.ts";
import { exitMessage, type Message, type UserMessage } from "./message.ts";
import type { Plan } from "./plan.ts";
import { printedAs } from "./printed.ts";
import { processes, type ProcessTable } from "./process-table.ts";
import { answer, letGo, receive } from "./receive.ts";
import { makeRef, type ProcessRef } from "./ref.ts";
import { State } from "./state.ts";
import { isDeferred, isThenable } from "./thenable.ts";

// Known to the compiler, where what is imported is read each time: for what runs with each message.
const { dead } = State;
const current = thread;

/** The user's object, with the callbacks it may have. */
export interface Instance {
  readonly [message: string]: unknown;
  init?(): unknown;
  terminate?(reason: ExitReason, context: { readonly signal: AbortSignal }): unknown;
  handleInfo?(message: unknown): unknown;
}

/** What follows a callback, in a turn of its process. */
type Next = (value: unknown, cell: Cell) => unknown;

/** The callback in hand has settled: what it gave, and what follows. */
interface Settled {
  readonly failed: boolean;
  readonly value: unknown;
  readonly next: Next | undefined;
}

/**
 * The engine of one incarnation of one process: mailbox, one callback at a time, end. Its fields are the runtime's own;
 * users hold refs. An idle process is this object, the user's, and what its owner holds: every field counts.
 */
export class Cell implements Runnable, Scope {
  queued = false;
  /** Who stands behind it in the run queue, which owns this. */
  following: Runnable | undefined = undefined;
  /** A callback has returned a promise that has not settled: the mailbox waits. */
  busy = false;
  /** It starts, stops, is to end, or its callback has settled: that comes before any message. */
  alert = true;
  state: number = State.starting;
  /** What the parent keeps with it. */
  note: unknown = undefined;
  /** User messages waiting; the runtime's own are not counted and never refused. */
  waiting = 0;
  readonly id: number;
  readonly system: System;
  readonly table: ProcessTable;
  readonly plan: Plan;
  /** What its object is made with; let go when it is there. */
  args: readonly unknown[];
  readonly parent: Cell | undefined;
  instance: Instance | undefined = undefined;
  engine: Engine | undefined = undefined;
  head: Message | undefined = undefined;
  /** The last of two or more: linking a new object from an old one costs, and most mailboxes hold one message. */
  tail: Message | undefined = undefined;
  /** Its neighbours in the process table. */
  before: Cell | undefined = undefined;
  after: Cell | undefined = undefined;
  /** The child of the same parent that was started before this one, and the one after. */
  elder: Cell | undefined = undefined;
  younger: Cell | undefined = undefined;
  children: Brood | undefined = undefined;
  /** The call or cast whose callback runs, or has not settled. */
  inHand: UserMessage | undefined = undefined;
  /** Messages handled, modulo 2³¹: tells one from the next. */
  handled = 0;
  settled: Settled | undefined = undefined;
  /** Told once whether the start went well: nothing, or why not. */
  onStart: ((failure: ExitReason | undefined) => void) | undefined = undefined;
  /** Stop in order, for this reason. */
  stopReason: ExitReason | undefined = undefined;
  /** End at once, for this reason; once dead, why. */
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
    this.table = parent === undefined ? system.get(processes) : parent.table;
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

  /** It takes no message any more. */
  get closed(): boolean {
    return this.stopReason !== undefined || this.doom !== undefined;
  }

  /** It was killed, and a callback that was in hand, or work beside the mailbox, still runs. */
  get zombie(): boolean {
    return this.state === State.dead && (this.busy || (this.more?.beside ?? 0) > 0);
  }

  /** What tells of stop and kill; made when it is first asked for. */
  get context(): LazySignal {
    const { extras } = this;
    if (extras.context === undefined) {
      extras.context = new LazySignal();
      if (this.state > State.running)
        LazySignal.abort(extras.context, abortReason(this.doom ?? this.stopReason!));
    }
    return extras.context;
  }

  get signal(): AbortSignal {
    return this.context.signal;
  }

  get scopeSignal(): AbortSignal {
    return this.more?.terminating?.signal ?? this.signal;
  }

  /** Enters the table, takes its name and goes in line for its first turn. @throws SLUICE_ALREADY_REGISTERED */
  begin(): this {
    const { name } = this.plan;
    if (name !== undefined) this.table.register(name, this);
    this.table.add(this);
    if (this.parent !== undefined) (this.parent.children ??= new Brood()).add(this);
    this.system.queue.ready(this);
    return this;
  }

  /** Puts a message at the end of the mailbox. */
  send(message: Message): void {
    if (this.state === dead) return;
    const { head } = this;
    if (head === undefined) this.head = message;
    else {
      (this.tail ?? head).next = message;
      this.tail = message;
    }
    if (!this.queued && !this.busy) this.system.queue.ready(this);
  }

  /** Puts a message before all that wait, or behind the given one among them. */
  sendFirst(message: Message, behind: Message | undefined): void {
    const { head } = this;
    if (behind === undefined) {
      message.next = head;
      this.head = message;
      if (head !== undefined) this.tail ??= head;
    } else {
      message.next = behind.next;
      behind.next = message;
      if (message.next === undefined) this.tail = message;
    }
    if (!this.queued && !this.busy) this.system.queue.ready(this);
  }

  /** Stops in order: what is in hand may end, `terminate` runs. */
  stop(reason: ExitReason): void {
    if (this.closed) return;
    this.stopReason = reason;
    this.alert = true;
    this.system.queue.ready(this);
  }

  /** Ends at once; what is in hand is abandoned. */
  kill(reason: ExitReason): void {
    if (this.doom !== undefined) return;
    this.doom = reason;
    this.alert = true;
    this.system.queue.ready(this);
  }

  /** An exit signal of a linked process or of the parent (O6, O8, O17). */
  exitSignal(from: Cell, reason: ExitReason): void {
    const supervises = this.engine?.role === "supervisor";
    const traps = this.more?.trap !== undefined;
    if (from === this.parent) {
      if (supervises || traps) this.stop(reason);
      else if (reason !== "normal") this.kill(reason);
    } else if (traps) this.send(exitMessage(from, reason));
    else if (!supervises && reason !== "normal") this.kill(reason);
  }

  run(limit: number): number {
    current.running = this;
    let handled = 0;
    try {
      handled = this.alert ? this.attend(limit) : this.turn(limit);
    } catch (error) {
      fail(this, error);
    }
    if (this.alert ? this.wakes : !this.busy && this.head !== undefined)
      this.system.queue.ready(this);
    return handled || 1;
  }

  /** Has it something to do, though no message may be handled? One that waits for work beside its mailbox is woken by that. */
  get wakes(): boolean {
    const { state } = this;
    if (this.doom !== undefined) return state !== State.dead;
    const waits = this.head !== undefined || this.stopReason !== undefined;
    return state <= State.running && !this.busy && waits;
  }

  /** Sees to what comes before any message. */
  attend(limit: number): number {
    if (this.state === State.dead) return 0;
    if (this.doom !== undefined) {
      end(this, this.doom);
      return 0;
    }
    if (this.stopReason !== undefined) beginStop(this);
    if (this.settled !== undefined) this.resume();
    if (this.state === State.starting && this.instance === undefined && !this.busy) begin(this);
    this.alert = this.state !== State.running || this.closed;
    const handled = this.turn(limit);
    if (this.state === State.ending && !this.busy) terminate(this);
    return handled;
  }

  turn(limit: number): number {
    let handled = 0;
    while (handled < limit && this.head !== undefined && !this.busy && !this.alert) {
      const message = this.head;
      // A mailbox of one message has no tail.
      if (this.tail === undefined) this.head = undefined;
      else this.unchain(message);
      handled++;
      this.handled = (this.handled + 1) & 0x7fff_ffff;
      const result = receive(this, message);
      if (result !== undefined && isThenable(result)) this.hold(result);
      if (this.inHand !== undefined && !this.busy) this.inHand = undefined;
    }
    return handled;
  }

  /** Takes the first of several messages out of the mailbox. */
  unchain(message: Message): void {
    const { next } = message;
    this.head = next;
    if (next === this.tail) this.tail = undefined;
    // A handled message that has grown old would keep all that came after it alive.
    message.next = undefined;
  }

  /**
   * The mailbox waits until `work` has settled, unless that is an offer; then, in a turn of the process, `next` runs, or
   * without it what the work gave is the reply to the message in hand.
   */
  hold(work: PromiseLike<unknown>, next?: Next): void {
    if (next === undefined && isDeferred(work)) return letGo(this, work);
    // A thenable of someone else's may throw, or settle twice: a promise does neither.
    const promise = Promise.resolve(work);
    this.busy = true;
    promise.then(
      (value) => this.settle({ failed: false, value, next }),
      (error: unknown) => this.settle({ failed: true, value: error, next: undefined }),
    );
  }

  settle(settled: Settled): void {
    if (this.state === State.dead) return lay(this);
    this.settled = settled;
    this.alert = true;
    this.system.queue.ready(this);
  }

  resume(): void {
    const { failed, value, next } = this.settled!;
    this.settled = undefined;
    this.busy = false;
    if (failed) throw value;
    const result = next === undefined ? answer(this, value) : next(value, this);
    if (isThenable(result)) this.hold(result);
    if (!this.busy) this.inHand = undefined;
  }
}

printedAs(Cell.prototype, ({ pid }) => `[${pid}]`);
