// A channel's definition without the types of its contract: what the engine works with.
import type { Topic } from "../pubsub/index.ts";
import type { History, Schemas, SlowPolicy } from "./definition.ts";
import { historyBounds, type HistoryBounds } from "./history/history-bounds.ts";
import type { Schema } from "./schema.ts";
import { checkDefinition } from "./check-definition.ts";
import { topicPattern, type TopicPattern } from "./topic-pattern.ts";

export type Callback = (argument: unknown, channel: unknown, later?: unknown) => unknown;

/** The callbacks as they come. */
export interface AnyCallbacks {
  readonly join: Callback;
  readonly joined?: (channel: unknown) => unknown;
  readonly subscribe?: (channel: unknown) => readonly Topic<unknown>[];
  readonly info?: Callback;
  readonly on?: { readonly [event: string]: Callback };
  readonly intercept?: { readonly [event: string]: Callback };
  readonly leave?: (channel: unknown) => unknown;
  readonly slow?: SlowPolicy<unknown>;
  readonly schemas?: Schemas<{}>;
  readonly history?: History;
}

/** A channel as an endpoint keeps it. */
export class AnyDefinition implements TopicPattern {
  /** The key of the endpoint that defined it. */
  readonly endpoint: string;
  readonly pattern: string;
  readonly prefix: string;
  readonly isExact: boolean;
  readonly callbacks: AnyCallbacks;
  readonly slow: SlowPolicy<unknown>;
  readonly history: HistoryBounds | undefined;
  readonly #on: ReadonlyMap<string, Callback>;
  readonly #intercept: ReadonlyMap<string, Callback>;
  readonly #schemas: ReadonlyMap<string, Schema<unknown>>;

  /** @throws SLUICE_INVALID_OPTION */
  constructor(endpoint: string, pattern: string, callbacks: AnyCallbacks) {
    this.endpoint = endpoint;
    checkDefinition(pattern, callbacks);
    const { prefix, isExact } = topicPattern(pattern);
    this.pattern = pattern;
    this.prefix = prefix;
    this.isExact = isExact;
    this.callbacks = callbacks;
    this.slow = callbacks.slow ?? "disconnect";
    const { schemas = "trusted", history } = callbacks;
    this.history = history === undefined ? undefined : historyBounds(history);
    // Maps, for a client's word must not find what every object inherits.
    this.#on = new Map(Object.entries(callbacks.on ?? {}));
    this.#intercept = new Map(Object.entries(callbacks.intercept ?? {}));
    this.#schemas = new Map(schemas === "trusted" ? [] : Object.entries(schemas));
  }

  /** What hears a client's event. */
  handler(event: string): Callback | undefined {
    return this.#on.get(event);
  }

  /** What sees a broadcast before the client does. */
  interceptor(event: string): Callback | undefined {
    return this.#intercept.get(event);
  }

  /** Is a broadcast of this event for its channels first? With history all are, so that the order of the log is kept. */
  intercepts(event: string): boolean {
    return this.#intercept.has(event) || (this.history !== undefined && this.#intercept.size > 0);
  }

  /** What checks the payload of an event, or the params of `join`. */
  schema(event: string): Schema<unknown> | undefined {
    return this.#schemas.get(event);
  }
}
