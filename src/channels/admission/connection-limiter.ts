import { TokenBucket, type TimerEntry } from "../../support/internal.ts";
import type { System } from "../../runtime/internal.ts";
import type { Limits } from "../limits.ts";

/** Connections that wait for their turn at most; more are sent away. */
const longestQueue = 1_000;
const LOOPBACK = /^(?:127\.|::1$|::ffff:127\.)/;

/** Somebody on the way in. */
export interface Arrival {
  readonly remoteAddress: string;
  /** What it is counted as while it is inside; of one that is not counted by its address, nothing. The limiter's. */
  network: string | undefined;
  /** It is its turn. */
  enter(): void;
}

/** Lets connections in at the rate and up to the number that an endpoint can bear. */
export class ConnectionLimiter {
  readonly #system: System;
  readonly #limits: Limits;
  readonly #bucket: TokenBucket;
  readonly #perNetwork: Map<string, number> = new Map();
  readonly #queue: Arrival[] = [];
  /** Connections that wait or are there. */
  inside = 0;
  #timer: TimerEntry<() => void> | undefined = undefined;

  constructor(system: System, limits: Limits) {
    this.#system = system;
    this.#limits = limits;
    const { connectionsPerSecond } = limits;
    this.#bucket = new TokenBucket(
      connectionsPerSecond,
      connectionsPerSecond,
      system.runtime.now(),
    );
  }

  /** Lets it enter, now or in turn; else says why not. From then on it counts, until `release`. */
  acquire(arrival: Arrival): string | undefined {
    const { maxConnections, maxConnectionsPerAddress } = this.#limits;
    if (this.inside >= maxConnections) return "too many connections";
    // The kernel is asked for an address only where all of them together could be too many for one.
    const network =
      maxConnectionsPerAddress < maxConnections ? countedAs(arrival.remoteAddress) : undefined;
    const ofNetwork = network === undefined ? 0 : (this.#perNetwork.get(network) ?? 0);
    if (ofNetwork >= maxConnectionsPerAddress) return "too many connections from one address";
    if (this.#queue.length >= longestQueue) return "too many new connections";
    this.inside++;
    if (network !== undefined) this.#perNetwork.set(network, ofNetwork + 1);
    arrival.network = network;
    if (this.#queue.length === 0 && this.#bucket.take(this.#system.runtime.now())) arrival.enter();
    else {
      this.#queue.push(arrival);
      this.#serve();
    }
    return undefined;
  }

  /** It is out again. */
  release({ network }: Pick<Arrival, "network">): void {
    this.inside--;
    if (network === undefined) return;
    const ofNetwork = this.#perNetwork.get(network)!;
    if (ofNetwork > 1) this.#perNetwork.set(network, ofNetwork - 1);
    else this.#perNetwork.delete(network);
  }

  /** Nobody comes in any more. @returns those who still waited */
  close(): readonly Arrival[] {
    if (this.#timer !== undefined) this.#system.cancel(this.#timer);
    this.#timer = undefined;
    return this.#queue.splice(0);
  }

  #serve(): void {
    const nowMs = this.#system.runtime.now();
    let served = 0;
    while (served < this.#queue.length && this.#bucket.take(nowMs)) served++;
    for (const arrival of this.#queue.splice(0, served)) arrival.enter();
    if (this.#queue.length === 0 || this.#timer !== undefined) return;
    this.#timer = this.#system.after(Math.max(this.#bucket.waitMs(nowMs), 1), () => {
      this.#timer = undefined;
      this.#serve();
    });
  }
}

/** What counts as one address: of IPv6 the first 64 bits, for whoever has one of them has them all. */
function countedAs(address: string): string | undefined {
  // Whoever comes by loopback may be a proxy, with everybody behind it.
  if (LOOPBACK.test(address)) return undefined;
  if (!address.includes(":") || address.startsWith("::ffff:")) return address;
  const [head, tail] = address.split("::") as [string, string?];
  const groups = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? 0 : tail.split(":").length;
  while (tail !== undefined && groups.length < Math.min(4, 8 - after)) groups.push("0");
  if (tail !== undefined && groups.length < 4) groups.push(...tail.split(":"));
  return groups.slice(0, 4).join(":");
}
