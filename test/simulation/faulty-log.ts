import { sleep } from "sluice";
import type { Log, Position, Read, Slice, Start } from "sluice/store";

/** What a faulty log takes from its simulation. */
interface Chance {
  readonly random: () => number;
  /** From 0 to 1; 0 from when the program is to come to rest. */
  trouble: number;
}

/**
 * A log behind a line that is slow and breaks: answers come late, some not at all, and tails lose their hold for a while, as
 * those of a store on another machine do. What it promises of order and sight it keeps.
 */
export class FaultyLog<E> implements Log<E> {
  readonly #inner: Log<E>;
  readonly #chance: Chance;
  #appends: Promise<unknown> = Promise.resolve();

  constructor(inner: Log<E>, chance: Chance) {
    this.#inner = inner;
    this.#chance = chance;
  }

  append(topic: string, entries: readonly E[]): Promise<Position> {
    const appended = this.#appends.then(async () => {
      await this.#late();
      if (this.#goesWrong()) throw new Error("the line broke before it was appended");
      const position = await this.#inner.append(topic, entries);
      if (this.#goesWrong()) throw new Error("the line broke after it was appended");
      return position;
    });
    this.#appends = appended.catch(() => {});
    return appended;
  }

  async read(topic: string, after: Position, limit: number): Promise<Read<E>> {
    await this.#late();
    if (this.#goesWrong()) throw new Error("the line broke");
    const read = await this.#inner.read(topic, after, Math.min(limit, 7));
    await this.#late();
    return read;
  }

  async last(topic: string, count: number): Promise<Slice<E>> {
    await this.#late();
    return this.#inner.last(topic, count);
  }

  tail(topic: string, start: Start, listener: (read: Read<E>) => void): Disposable {
    return new FaultyTail(this.#inner, this.#chance, topic, start, listener);
  }

  drop(topic: string): Promise<void> {
    return this.#inner.drop(topic);
  }

  #late(): Promise<void> {
    return sleep(this.#chance.random() * 20);
  }

  #goesWrong(): boolean {
    return this.#chance.random() < this.#chance.trouble;
  }
}

class FaultyTail<E> implements Disposable {
  readonly #inner: Log<E>;
  readonly #chance: Chance;
  readonly #topic: string;
  readonly #listener: (read: Read<E>) => void;
  #tail: Disposable | undefined;
  #told: Position | undefined = undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #isOver = false;

  constructor(
    inner: Log<E>,
    chance: Chance,
    topic: string,
    start: Start,
    listener: (read: Read<E>) => void,
  ) {
    this.#inner = inner;
    this.#chance = chance;
    this.#topic = topic;
    this.#listener = listener;
    this.#open(start);
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#tail?.[Symbol.dispose]();
  }

  #open(start: Start): void {
    let isLost = false;
    const tail = this.#inner.tail(this.#topic, start, (read) => {
      if (isLost) return;
      // Behind it the line breaks: what comes then is read again, or is gone.
      if (this.#told !== undefined && this.#chance.random() < this.#chance.trouble) {
        isLost = true;
        tail[Symbol.dispose]();
        void sleep(this.#chance.random() * 100).then(() => this.#again());
        return;
      }
      const wasFirst = this.#told === undefined;
      this.#told = read.position;
      if (!wasFirst && read.status === "resumed" && read.entries.length === 0) return;
      const ms = this.#chance.random() * 20;
      this.#queue = this.#queue.then(async () => {
        await sleep(ms);
        if (!this.#isOver) this.#listener(read);
      });
    });
    this.#tail = tail;
  }

  #again(): void {
    if (!this.#isOver) this.#open({ after: this.#told! });
  }
}
