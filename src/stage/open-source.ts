/** A source as `from` reads it: stepped while it is asked for, and let go of once. */
export interface OpenSource<Out> {
  readonly iterator: Iterator<Out> | AsyncIterator<Out>;
  /** It has ended or failed: there is nothing to be closed, but what was held of it is given back. */
  over?(): void;
  /** It is not wanted any more; rejects with what has gone wrong with it and was told to nobody. */
  close(why: unknown): Promise<unknown>;
}

/** What can be opened: values one by one, now or later, or a stream of them. */
export type Opened<Out> = Iterable<Out> | AsyncIterable<Out> | ReadableStream<Out>;

/** A readable of Node, as far as it is more than an async iterable. */
interface NodeReadable {
  on(event: "error", listener: (error: unknown) => void): unknown;
  destroy(): unknown;
}

class IteratorSource<Out> implements OpenSource<Out> {
  readonly iterator: Iterator<Out> | AsyncIterator<Out>;

  constructor(iterator: Iterator<Out> | AsyncIterator<Out>) {
    this.iterator = iterator;
  }

  async close(): Promise<unknown> {
    return this.iterator.return?.();
  }
}

/** Its iterator lets a readable go only between two steps: one that waits for its source must be destroyed. */
class NodeSource<Out> extends IteratorSource<Out> {
  readonly readable: NodeReadable;
  failure: { readonly error: unknown } | undefined = undefined;

  constructor(iterator: Iterator<Out> | AsyncIterator<Out>, readable: NodeReadable) {
    super(iterator);
    this.readable = readable;
    // Whoever reads on is told by the iterator; an error that nobody listens to would end the program.
    readable.on("error", (error) => (this.failure ??= { error }));
  }

  override async close(): Promise<void> {
    const closed = super.close();
    this.readable.destroy();
    await closed;
    if (this.failure !== undefined) throw this.failure.error;
  }
}

class WebSource<Out> implements OpenSource<Out> {
  readonly iterator: AsyncIterator<Out>;
  readonly reader: ReadableStreamDefaultReader<Out>;

  constructor(stream: ReadableStream<Out>) {
    const reader = stream.getReader();
    this.reader = reader;
    this.iterator = { next: () => reader.read() as Promise<IteratorResult<Out>> };
  }

  over(): void {
    this.reader.releaseLock();
  }

  async close(why: unknown): Promise<unknown> {
    const cancelled = this.reader.cancel(why);
    this.reader.releaseLock();
    return cancelled;
  }
}

/** Opens a source; `undefined` for what is none. */
export function openSource<Out>(given: unknown): OpenSource<Out> | undefined {
  const source = (given ?? {}) as Partial<
    Iterable<Out> & AsyncIterable<Out> & ReadableStream<Out> & NodeReadable
  >;
  if (typeof source.getReader === "function") return new WebSource(source as ReadableStream<Out>);
  const iterator = source[Symbol.asyncIterator]?.() ?? source[Symbol.iterator]?.();
  if (iterator === undefined) return undefined;
  const destroyable = typeof source.destroy === "function" && typeof source.on === "function";
  return destroyable
    ? new NodeSource(iterator, source as NodeReadable)
    : new IteratorSource(iterator);
}
