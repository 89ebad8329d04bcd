const MIN_CAPACITY = 8;
/** Below this capacity giving memory back is not worth the copy. */
const MIN_SHRINK = 64;

/**
 * A queue open at both ends: a ring on an array whose size is a power of two.
 *
 * Every operation is O(1), amortised where the ring grows or, after a burst, shrinks. A slot that is left is cleared, so
 * the deque never keeps alive what was taken out. An empty deque that was never used holds no slots.
 */
export class Deque<T> {
  #slots: (T | undefined)[] = [];
  #head = 0;
  #length = 0;

  /** How many elements wait. */
  get length(): number {
    return this.#length;
  }

  /** Adds an element at the back. */
  push(element: T): void {
    if (this.#length === this.#slots.length) this.#resize(Math.max(MIN_CAPACITY, this.#length * 2));
    this.#slots[(this.#head + this.#length) & (this.#slots.length - 1)] = element;
    this.#length++;
  }

  /** Adds an element at the front. */
  unshift(element: T): void {
    if (this.#length === this.#slots.length) this.#resize(Math.max(MIN_CAPACITY, this.#length * 2));
    this.#head = (this.#head - 1) & (this.#slots.length - 1);
    this.#slots[this.#head] = element;
    this.#length++;
  }

  /** Takes the element at the front; undefined when empty. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const slots = this.#slots;
    const element = slots[this.#head];
    slots[this.#head] = undefined;
    this.#head = (this.#head + 1) & (slots.length - 1);
    this.#length--;
    // An eighth, not a half: a length that swings around one mark must not copy each time.
    if (slots.length > MIN_SHRINK && this.#length <= slots.length >>> 3)
      this.#resize(slots.length >>> 1);
    return element;
  }

  /** The element `index` places behind the front; undefined outside `0 … length - 1`. */
  at(index: number): T | undefined {
    if (!(index >= 0 && index < this.#length)) return undefined;
    return this.#slots[(this.#head + index) & (this.#slots.length - 1)];
  }

  /** Forgets all elements, and the memory they stood in. */
  clear(): void {
    this.#slots = [];
    this.#head = 0;
    this.#length = 0;
  }

  /** From front to back. Elements pushed meanwhile are visited; do not take any out meanwhile. */
  *[Symbol.iterator](): Generator<T, void, undefined> {
    for (let index = 0; index < this.#length; index++) yield this.at(index) as T;
  }

  #resize(capacity: number): void {
    // Filled, so that the array never changes its element kind when a slot is cleared.
    const slots = new Array<T | undefined>(capacity).fill(undefined);
    for (let index = 0; index < this.#length; index++) {
      slots[index] = this.#slots[(this.#head + index) & (this.#slots.length - 1)];
    }
    this.#slots = slots;
    this.#head = 0;
  }
}
