import type { Alarm, Runtime } from "../runtime/internal.ts";
import { firstOffset, type Position, type Read, type Slice, type Start } from "./log.ts";
import { Tail } from "./tail.ts";
import { log } from "../telemetry/internal.ts";

/** So many batches wait while a tail reads; with more, it reads on instead. */
const maxHeld = 1_000;

/** What a {@link StoredTail} works with. */
export interface StoredTailOptions<E> {
  readonly runtime: Runtime;
  readonly start: Start;
  readonly listener: (read: Read<E>) => void;
  /** Entries from a place on, at most `limit`: fewer only if there are no more. `live`: it heard what came before. */
  readonly read: (start: Start, limit: number, live: boolean) => Promise<Read<E>>;
  /** Told once: it was disposed, or its listener threw. */
  readonly ended: () => void;
}

/**
 * A reader that does not end: it reads what there is, and takes what is heard meanwhile and afterwards where that follows
 * on its place. Where it does not, or something may have been missed, it reads again.
 */
export class StoredTail<E> implements Disposable {
  /** Resolves when it has told what there was, or has ended. */
  readonly opened: Promise<void>;
  readonly #options: StoredTailOptions<E>;
  readonly #tail: Tail<E>;
  #open: (() => void) | undefined = undefined;
  #place: Position | undefined = undefined;
  #reading = false;
  #again = false;
  #held: Slice<E>[] = [];
  #live = true;
  #wait: { readonly alarm: Alarm; readonly resolve: () => void } | undefined = undefined;

  constructor(options: StoredTailOptions<E>) {
    this.#options = options;
    this.opened = new Promise((resolve) => (this.#open = resolve));
    this.#tail = new Tail(options.runtime, options.listener, () => {
      this.#live = false;
      this.#held = [];
      this.#wait?.alarm.cancel();
      this.#wait?.resolve();
      this.#open?.();
      options.ended();
    });
  }

  /** Something may have been missed. */
  refresh(): void {
    this.#again = true;
    if (!this.#reading) void this.#run();
  }

  hear(slice: Slice<E>): void {
    if (!this.#reading) return this.#take(slice);
    if (this.#held.length < maxHeld) return void this.#held.push(slice);
    this.#held = [];
    this.#again = true;
  }

  [Symbol.dispose](): void {
    this.#tail[Symbol.dispose]();
  }

  /** Takes of a slice what follows on its place. */
  #take(slice: Slice<E>): void {
    const place = this.#place;
    const known = place === undefined ? -1 : place.offset + 1 - firstOffset(slice);
    if (place?.epoch !== slice.position.epoch || known < 0) return this.refresh();
    if (known >= slice.entries.length) return;
    const entries = known === 0 ? slice.entries : slice.entries.slice(known);
    this.#tell({ status: "resumed", entries, position: slice.position });
  }

  #tell(read: Read<E>): void {
    this.#place = read.position;
    this.#tail.push(read);
  }

  async #run(): Promise<void> {
    this.#reading = true;
    let failures = 0;
    while (this.#live && this.#again) {
      this.#again = false;
      try {
        await this.#catchUp();
        failures = 0;
      } catch (error) {
        this.#again = true;
        // Outages are told by the store; what lasts may be something else.
        if (++failures === 5)
          log("warning", "a tail cannot read its log; it tries until it can", error);
        await this.#pause(failures);
      }
    }
    this.#reading = false;
    this.#open?.();
    const held = this.#held;
    this.#held = [];
    for (const slice of held) if (this.#live) this.hear(slice);
  }

  async #catchUp(): Promise<void> {
    for (;;) {
      const first = this.#place === undefined;
      const start = this.#place === undefined ? this.#options.start : { after: this.#place };
      const limit = "last" in start ? start.last : 1_000;
      const read = await this.#options.read(start, limit, !first);
      if (!this.#live) return;
      if (first || read.status !== "resumed" || read.entries.length > 0) this.#tell(read);
      if ("last" in start || read.entries.length < limit) return;
    }
  }

  #pause(failures: number): Promise<void> {
    const { runtime } = this.#options;
    const ms = Math.min(25 * 2 ** failures, 2_000) * (0.5 + runtime.random() / 2);
    return new Promise((resolve) => {
      this.#wait = { resolve, alarm: runtime.alarm(ms, resolve) };
    });
  }
}
