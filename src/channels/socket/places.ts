/** As many topics are looked for one by one; most sockets join one or two, for which a map would be large. */
const few = 8;

const none: readonly never[] = [];

/** What a socket has joined, by topic. */
export class Places<P extends { readonly topic: string }> {
  #few: readonly P[] | undefined = none;
  #many: Map<string, P> | undefined = undefined;

  get size(): number {
    return this.#few?.length ?? this.#many!.size;
  }

  get(topic: string): P | undefined {
    return this.#few === undefined
      ? this.#many!.get(topic)
      : this.#few.find((place) => place.topic === topic);
  }

  /** Puts it in the place of another of its topic, if there is one. */
  set(place: P): void {
    const { topic } = place;
    const list = this.#few;
    if (list === undefined) return void this.#many!.set(topic, place);
    const at = list.findIndex((other) => other.topic === topic);
    // An array that is made by these is as long as it has to be; one that grows, or is spread, makes room for many.
    if (at >= 0) this.#few = list.with(at, place);
    else if (list.length < few) this.#few = list.concat([place]);
    else {
      this.#many = new Map([...list, place].map((one) => [one.topic, one]));
      this.#few = undefined;
    }
  }

  delete(topic: string): void {
    if (this.#few === undefined) this.#many!.delete(topic);
    else this.#few = this.#few.filter((place) => place.topic !== topic);
  }

  /** All of them, as they are now. */
  values(): readonly P[] {
    return this.#few ?? [...this.#many!.values()];
  }
}
