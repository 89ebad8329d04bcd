import type { ChildProcess } from "node:child_process";

interface Waiting<T> {
  readonly holds: (state: T) => boolean;
  readonly resolve: (state: T) => void;
}

const patienceMs = 40_000;

/** A child process that tells its state again and again, and those who wait for a certain state. It is killed when disposed of. */
export class Watched<T> implements AsyncDisposable {
  readonly child: ChildProcess;
  /** Settles when it has ended and all that it said is read. */
  readonly exited: Promise<{
    readonly code: number | null;
    readonly signal: NodeJS.Signals | null;
  }>;
  readonly #name: string;
  readonly #waiting: Set<Waiting<T>> = new Set();
  #state: T | undefined = undefined;

  constructor(name: string, child: ChildProcess) {
    this.#name = name;
    this.child = child;
    this.exited = new Promise((resolve) =>
      child.on("close", (code, signal) => resolve({ code, signal })),
    );
  }

  /** The state it told last. */
  get state(): T | undefined {
    return this.#state;
  }

  /** It tells its state. */
  saw(state: T): void {
    this.#state = state;
    for (const waiting of this.#waiting) {
      if (!waiting.holds(state)) continue;
      this.#waiting.delete(waiting);
      waiting.resolve(state);
    }
  }

  /** Resolves with the first state from now on for which `holds`; rejects when it has ended before, or after `withinMs`. */
  async until(
    what: string,
    holds: (state: T) => boolean,
    withinMs: number = patienceMs,
  ): Promise<T> {
    if (this.#state !== undefined && holds(this.#state)) return this.#state;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const waiting = { holds, resolve };
    this.#waiting.add(waiting);
    const fail = (why: string): void =>
      reject(new Error(`${this.#name} ${why} before ${what}: ${JSON.stringify(this.#state)}`));
    const timer = setTimeout(() => fail(`took ${withinMs} ms`), withinMs);
    void this.exited.then(({ code, signal }) => fail(`ended (${signal ?? code})`));
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(waiting);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill("SIGKILL");
    await this.exited;
  }
}
