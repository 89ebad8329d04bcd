import type { ExitReason } from "../support/internal.ts";
import type { Scope, System } from "../runtime/internal.ts";
import { LazySignal, abortReason } from "./abort.ts";
import { closureMessage } from "./message.ts";
import type { Open, Own } from "./self.ts";
import { startIn } from "./start-in.ts";

/** Work that a process has running beside its mailbox. */
export class OwnTask<T> implements Open, Scope {
  readonly own: Own;
  readonly done: (result: PromiseSettledResult<T>) => unknown;
  readonly context: LazySignal = new LazySignal();
  live = true;

  constructor(
    own: Own,
    work: (context: { readonly signal: AbortSignal }) => Promise<T>,
    done: (result: PromiseSettledResult<T>) => unknown,
  ) {
    this.own = own;
    this.done = done;
    startIn(this, () => work(this.context)).then(
      (value) => this.tell({ status: "fulfilled", value }),
      (reason: unknown) => this.tell({ status: "rejected", reason }),
    );
  }

  get system(): System {
    return this.own.cell.system;
  }

  get scopeSignal(): AbortSignal {
    return this.context.signal;
  }

  tell(result: PromiseSettledResult<T>): void {
    this.own.taskSettled();
    this.own.cell.send(
      closureMessage(() => {
        if (!this.live) return undefined;
        this.live = false;
        this.own.closed(this);
        return this.done(result);
      }),
    );
  }

  abort(reason: ExitReason): void {
    LazySignal.abort(this.context, abortReason(reason));
  }

  close(reason: ExitReason): void {
    if (!this.live) return;
    this.live = false;
    this.own.closed(this);
    this.abort(reason);
  }

  [Symbol.dispose](): void {
    this.close("normal");
  }
}
