// A network between the buses of several systems in one program: it delays, reorders, loses, doubles, and is cut.
import { bus, type Bus } from "../../src/pubsub/internal.ts";
import type { System } from "../../src/runtime/internal.ts";

/** What goes wrong with each message, on each way by itself. */
export interface Faults {
  readonly maxDelayMs: number;
  readonly lose: number;
  readonly double: number;
}

/** Joins buses: what is broadcast on one reaches the others as JSON, if it does. */
export class Net {
  faults: Faults = { maxDelayMs: 0, lose: 0, double: 0 };
  /** Messages that reached another node, and the largest of them. */
  carried = 0;
  largest = 0;
  readonly #system: System;
  readonly #nodes: Set<Bus> = new Set();
  /** Ways that are cut, each in one direction. */
  readonly #cut: Map<Bus, Set<Bus>> = new Map();

  constructor(system: System) {
    this.#system = system;
  }

  join(node: System): void {
    const joined = node.get(bus);
    this.#nodes.add(joined);
    joined.uplink = {
      isSigned: false,
      publish: (topic, kind, text) => this.#send(joined, topic, kind, text),
      hold() {},
      release() {},
      confirmed: () => undefined,
    };
  }

  /** The node is no more. */
  leave(node: System): void {
    this.#nodes.delete(node.get(bus));
  }

  /** From now on nothing goes from one to the other. */
  cut(from: System, to: System): void {
    const cut = this.#cut.get(from.get(bus)) ?? new Set();
    this.#cut.set(from.get(bus), cut.add(to.get(bus)));
  }

  /** All ways are whole again, and nothing else goes wrong. */
  heal(): void {
    this.#cut.clear();
  }

  #send(from: Bus, topic: string, kind: string, text: string): void {
    const { runtime } = this.#system;
    const { maxDelayMs, lose, double } = this.faults;
    for (const to of this.#nodes) {
      if (to === from || this.#cut.get(from)?.has(to) === true) continue;
      if (runtime.random() < lose) continue;
      const times = runtime.random() < double ? 2 : 1;
      for (let time = 0; time < times; time++)
        this.#system.after(runtime.random() * maxDelayMs, () =>
          this.#arrive(to, topic, kind, text),
        );
    }
  }

  #arrive(to: Bus, topic: string, kind: string, text: string): void {
    if (!this.#nodes.has(to)) return;
    this.carried++;
    this.largest = Math.max(this.largest, text.length);
    to.arrive(topic, kind, text);
  }
}
