// How long a connection may stay: until its rights end, and as long as they are confirmed. Looked at once per sweep, so
// that no socket has a timer, and beside its mailbox, so that a slow look blocks nobody's messages.
import type { Runtime } from "../../runtime/internal.ts";
import { ownOf, type Cell } from "../../process/internal.ts";
import { log } from "../../telemetry/internal.ts";
import type { SocketOptions } from "../endpoint-options.ts";
import type { Limits } from "../limits.ts";
import { Refused } from "../refused.ts";

const defaultRevalidateMs = 1_800_000;
/** Each look comes after this part of the interval at least: sockets that came together are not all looked at together. */
const earliest = 0.8;

/** The connection that has the rights. */
export interface RightsOwner {
  readonly assigns: unknown;
  /** The rights have ended. */
  ended(reason: string): void;
}

type Rules = Pick<SocketOptions<unknown>, "lifetimeMs" | "revalidate" | "revalidateMs">;

/** What a mount says of the rights of its connections, and those whose turn has come to be looked at. */
export class RightsDesk {
  readonly rules: Rules;
  readonly runtime: Runtime;
  readonly limits: Limits;
  #running = 0;
  readonly #waiting: Set<SocketRights> = new Set();

  constructor(rules: Rules, runtime: Runtime, limits: Limits) {
    this.rules = rules;
    this.runtime = runtime;
    this.limits = limits;
  }

  /** The rights of one connection; nothing where they do not end. @throws TypeError when `lifetimeMs` gives no number */
  open(owner: RightsOwner, cell: Cell): SocketRights | undefined {
    const { lifetimeMs, revalidate } = this.rules;
    if (lifetimeMs === undefined && revalidate === undefined) return undefined;
    const ms: unknown = lifetimeMs === undefined ? Infinity : lifetimeMs(owner.assigns);
    if (typeof ms !== "number" || Number.isNaN(ms))
      throw new TypeError("lifetimeMs must return a number");
    return new SocketRights(this, owner, cell, this.runtime.now() + ms);
  }

  /** Its turn has come: now, or behind those that wait. */
  enter(rights: SocketRights): void {
    this.#waiting.add(rights);
    this.#next();
  }

  leave(rights: SocketRights): void {
    this.#waiting.delete(rights);
  }

  /** One is done. */
  freed(): void {
    this.#running--;
    this.#next();
  }

  #next(): void {
    for (const rights of this.#waiting) {
      if (this.#running >= this.limits.maxRevalidations) return;
      this.#waiting.delete(rights);
      this.#running++;
      rights.begin();
    }
  }
}

/** The rights of one connection. */
export class SocketRights {
  readonly #desk: RightsDesk;
  readonly #owner: RightsOwner;
  readonly #cell: Cell;
  readonly #endsAtMs: number;
  #dueAtMs: number;
  #state: "idle" | "waiting" | "running" | "over" = "idle";
  #look: Disposable | undefined = undefined;

  constructor(desk: RightsDesk, owner: RightsOwner, cell: Cell, endsAtMs: number) {
    this.#desk = desk;
    this.#owner = owner;
    this.#cell = cell;
    this.#endsAtMs = endsAtMs;
    this.#dueAtMs = this.#nextMs();
  }

  /** Have they ended already? */
  get areOver(): boolean {
    return this.#desk.runtime.now() >= this.#endsAtMs;
  }

  /** Looks at the deadlines. */
  sweep(): void {
    if (this.#state === "over") return;
    if (this.areOver) return this.#end("the rights of the connection have ended");
    if (this.#desk.runtime.now() < this.#dueAtMs) return;
    if (this.#state === "idle") {
      this.#state = "waiting";
      this.#desk.enter(this);
    } else if (this.#state === "running") this.#end("revalidate took too long");
  }

  /** There is room for it. */
  begin(): void {
    const { rules, runtime, limits } = this.#desk;
    this.#state = "running";
    this.#dueAtMs = runtime.now() + limits.revalidateTimeoutMs;
    this.#look = ownOf(this.#cell).task(
      async (context) => rules.revalidate!(this.#owner.assigns, context),
      (result) => this.#looked(result),
    );
  }

  /** The connection is gone: nobody asks any more. */
  close(): void {
    const before = this.#state;
    this.#state = "over";
    this.#look?.[Symbol.dispose]();
    if (before === "waiting") this.#desk.leave(this);
    if (before === "running") this.#desk.freed();
  }

  #looked(result: PromiseSettledResult<unknown>): void {
    if (this.#state !== "running") return;
    this.#state = "idle";
    this.#dueAtMs = this.#nextMs();
    this.#desk.freed();
    if (result.status === "fulfilled") return;
    // Who cannot be asked about has no rights: it fails closed.
    if (result.reason instanceof Refused) this.#end("the rights of the connection were withdrawn");
    else {
      log("error", `revalidate of ${this.#cell.pid} crashed`, result.reason);
      this.#end("revalidate crashed");
    }
  }

  #end(reason: string): void {
    this.close();
    this.#owner.ended(reason);
  }

  #nextMs(): number {
    const { rules, runtime } = this.#desk;
    if (rules.revalidate === undefined) return Infinity;
    const ms = rules.revalidateMs ?? defaultRevalidateMs;
    return runtime.now() + ms * (earliest + (1 - earliest) * runtime.random());
  }
}
