/**
 * How nodes reach each other: the contract of every broker that `pubsub({ adapter })` can stand on. What passes the
 * conformance suite of `sluice/testing` keeps it. An adapter connects and carries text; everything else (reconnecting,
 * restoring subscriptions, heartbeats, bounds, counting what was lost) is done once, above it, for all of them.
 *
 * **Topics** are any well-formed text, also of spaces, wildcards, control characters or hundreds of characters. An adapter
 * writes them as its broker can: a topic is never taken for a pattern, and no two topics are one. Nothing secret is in
 * them. None is subscribed to twice at a time.
 *
 * **Messages** are text, opaque, well-formed and without U+0000; no two of one node are the same. Each reaches every
 * connection that is subscribed, at most once, in the order in which one connection published them on one topic. The
 * publisher's own may come back: they are let go above. Nothing is stored.
 *
 * An adapter must not reconnect, queue while it is cut off, send a message again, or decide by what is in one. It must
 * not wait for timers of the host. Whatever it throws or logs holds no credentials.
 *
 * The error it may throw at once, from the function that makes it, is SLUICE_INVALID_OPTION.
 */
export interface Adapter {
  /** What it is, for people: `"nats"`. */
  readonly kind: string;
  /** Only programs of this machine reach the broker, so that nodes need no `secrets`. Default false. */
  readonly isLoopback?: boolean;
  /**
   * Connects, once. Rejects when that fails or the signal aborts, and leaves nothing behind then. Called again after a
   * connection was lost; never twice at a time.
   */
  connect(events: ConnectionEvents, signal: AbortSignal): Promise<Connection>;
}

/** What a connection tells; never inside of a call of its methods. */
export interface ConnectionEvents {
  /** A message of a topic that is, or a moment ago was, subscribed. */
  message(text: string): void;
  /**
   * The connection is gone, or may have missed a message: told once, and nothing follows. Not told after `close`. What
   * was published and not confirmed has been rejected.
   */
  lost(reason: unknown): void;
}

/** One connection, for as long as it lives. Calls take effect in the order in which they are made. */
export interface Connection {
  /** The largest message that the broker takes, in bytes of UTF-8. */
  readonly maxMessageBytes: number;
  /** Resolves when the broker has it, rejects when it may not have it. Never throws. */
  publish(topic: string, text: string): Promise<void>;
  /**
   * Resolves when the broker has confirmed all of them: what anybody publishes from then on arrives. Rejects when the
   * broker refuses one, which leaves none of them subscribed, or when the connection is lost.
   */
  subscribe(topics: readonly string[]): Promise<void>;
  /** Hears it no more; what is on the way may still arrive. */
  unsubscribe(topic: string): void;
  /** Sends what was published, then ends; resolves when it has ended, also where that fails. Twice is once. */
  close(): Promise<void>;
  /** Ends at once, whatever is under way, also a `close`: nobody answers any more. What is not confirmed is rejected. */
  abort(): void;
}
