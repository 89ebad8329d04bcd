import { SluiceError } from "../support/internal.ts";

type WritableEvent = "drain" | "finish" | "close" | "error";

/** A writable of Node, as far as a stage writes to it. */
export interface WritableLike<In> {
  /** Takes a chunk; false when it wants no more before it tells `"drain"`. */
  write(chunk: In): boolean;
  /** No chunk follows; `"finish"` tells that all are through. */
  end(): unknown;
  /** Gives up what is not through. */
  destroy(): unknown;
  /** Begins to listen. */
  on(event: WritableEvent, listener: (error?: unknown) => void): unknown;
  /** Listens no more. */
  off(event: WritableEvent, listener: (error?: unknown) => void): unknown;
  /** Keeps chunks together until `uncork`. */
  cork?(): unknown;
  /** Writes what `cork` kept. */
  uncork?(): unknown;
  /** False when it has ended, failed or was destroyed. */
  readonly writable?: boolean;
}

/** Where a stage writes to. */
interface Outlook {
  /** Who writes. */
  readonly pid: string;
  /** Told of a failure, once, when nobody waits for the stream at that moment. */
  readonly failed: (error: unknown) => void;
}

const ignore = (): void => {};

/** A stream that is written to within the room it has. Its failure is told once: to who waits for it, else to `failed`. */
export abstract class Outflow {
  readonly #outlook: Outlook;
  #waiting: PromiseWithResolvers<void> | undefined = undefined;
  #failure: { readonly error: unknown } | undefined = undefined;
  /** Whatever happens to it now is not ours any more. */
  protected over = false;

  constructor(outlook: Outlook) {
    this.#outlook = outlook;
  }

  /** Writes while there is room; the index of the first chunk that finds none, nothing if there is room left. */
  protected abstract fill(chunks: readonly unknown[], index: number): number | undefined;
  /** No more: resolves when all is through. */
  abstract end(): Promise<void>;
  /** Others may go on with it. */
  abstract release(): void;
  /** Gives up what is not through. */
  abstract abort(why: unknown): void;

  /** Writes all, as fast as there is room; what it returns settles when there is room again. */
  write(chunks: readonly unknown[]): Promise<void> | undefined {
    const index = this.fill(chunks, 0);
    return index === undefined ? undefined : this.#rest(chunks, index);
  }

  async #rest(chunks: readonly unknown[], first: number): Promise<void> {
    let index: number | undefined = first;
    while (index !== undefined) {
      await this.waited();
      index = this.fill(chunks, index);
    }
  }

  /** Waits for `settled`, or for a failure. */
  protected waited(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error);
    return (this.#waiting ??= Promise.withResolvers()).promise;
  }

  protected readonly settled = (): void => {
    this.#waiting?.resolve();
    this.#waiting = undefined;
  };

  protected readonly fail = (error: unknown): void => {
    if (this.over || this.#failure !== undefined) return;
    this.#failure = { error };
    if (this.#waiting !== undefined) this.#waiting.reject(error);
    else this.#outlook.failed(error);
  };

  /** Somebody else has closed it. */
  protected readonly closed = (): void => {
    const { pid } = this.#outlook;
    const message = `the stream that ${pid} writes to was closed by somebody else`;
    this.fail(new SluiceError("SLUICE_SINK_CLOSED", message, { stage: pid }));
  };
}

class NodeOutflow extends Outflow {
  readonly #writable: WritableLike<unknown>;
  readonly #listeners: { readonly [E in WritableEvent]: (error?: unknown) => void };
  #ending = false;

  constructor(writable: WritableLike<unknown>, outlook: Outlook) {
    super(outlook);
    this.#writable = writable;
    this.#listeners = {
      drain: () => (this.#ending ? undefined : this.settled()),
      finish: () => this.#finished(),
      close: this.closed,
      error: this.fail,
    };
    for (const [event, listener] of Object.entries(this.#listeners))
      writable.on(event as WritableEvent, listener);
    if (writable.writable === false) this.closed();
  }

  protected override fill(chunks: readonly unknown[], first: number): number | undefined {
    let [index, room] = [first, true];
    this.#writable.cork?.();
    try {
      while (room && index < chunks.length) room = this.#writable.write(chunks[index++]);
    } finally {
      this.#writable.uncork?.();
    }
    return room ? undefined : index;
  }

  override async end(): Promise<void> {
    this.#ending = true;
    const through = this.waited();
    this.#writable.end();
    await through;
  }

  #finished(): void {
    if (!this.#ending) return this.closed();
    this.over = true;
    this.settled();
  }

  override release(): void {
    this.over = true;
    for (const [event, listener] of Object.entries(this.#listeners))
      this.#writable.off(event as WritableEvent, listener);
  }

  override abort(): void {
    // The listener stays: an error that nobody listens to would end the program.
    this.over = true;
    this.#writable.destroy();
  }
}

class WebOutflow extends Outflow {
  readonly #writer: WritableStreamDefaultWriter<unknown>;

  constructor(stream: WritableStream<unknown>, outlook: Outlook) {
    super(outlook);
    this.#writer = stream.getWriter();
    this.#writer.closed.then(this.closed, this.fail);
  }

  protected override fill(chunks: readonly unknown[], first: number): number | undefined {
    const writer = this.#writer;
    let index = first;
    // What goes wrong with a chunk goes wrong with the stream, which tells it.
    while (index < chunks.length && (writer.desiredSize ?? 0) > 0)
      writer.write(chunks[index++]).catch(ignore);
    return (writer.desiredSize ?? 0) > 0 ? undefined : index;
  }

  protected override waited(): Promise<void> {
    const waited = super.waited();
    this.#writer.ready.then(this.settled, this.fail);
    return waited;
  }

  override async end(): Promise<void> {
    this.over = true;
    await this.#writer.close();
  }

  override release(): void {
    this.over = true;
    this.#writer.releaseLock();
  }

  override abort(why: unknown): void {
    this.over = true;
    this.#writer.abort(why).catch(ignore);
  }
}

/** Takes a stream to write to; `undefined` for what is none. */
export function openOutflow(given: unknown, outlook: Outlook): Outflow | undefined {
  const stream = (given ?? {}) as Partial<WritableStream & WritableLike<unknown>>;
  if (typeof stream.getWriter === "function")
    return new WebOutflow(given as WritableStream, outlook);
  if (typeof stream.write !== "function" || typeof stream.on !== "function") return undefined;
  return new NodeOutflow(given as WritableLike<unknown>, outlook);
}
