import { isThenable } from "../process/internal.ts";
import type { Context } from "../process/index.ts";
import { Consumer } from "./consumer.ts";
import type { ProducerClass } from "./from.ts";
import { ProducerConsumer } from "./producer-consumer.ts";
import { Producer } from "./producer.ts";
import type { Emitted } from "./stage-callbacks.ts";
import type { From } from "./subscription.ts";

/** Classes made by the shorthands that turn events into others. */
export type ProducerConsumerClass<In, Out> = new () => ProducerConsumer<In, Out>;
/** Classes made by the shorthands that end a flow. */
export type ConsumerClass<In> = new () => Consumer<In>;

/** A producer from one function of the demand. */
export function producer<Out>(
  handleDemand: (demand: number, context: Context) => Emitted<Out>,
): ProducerClass<Out> {
  return class FunctionProducer extends Producer<Out> {
    protected override handleDemand(demand: number, context: Context): Emitted<Out> {
      return handleDemand(demand, context);
    }
  };
}

/**
 * One result per event, in order; `keep` turns the result into what is emitted. Synchronous as long as results are:
 * from the first promise on, the rest of the batch is awaited one by one.
 */
function each<In, Result, Out>(
  events: readonly In[],
  context: Context,
  fn: (event: In, context: Context) => Result | Promise<Result>,
  keep: (out: Out[], event: In, result: Result) => void,
): Emitted<Out> {
  const out: Out[] = [];
  for (let index = 0; index < events.length; index++) {
    const event = events[index] as In;
    const result = fn(event, context);
    if (isThenable(result)) return eachAsync(events, index, result, context, fn, keep, out);
    keep(out, event, result);
  }
  return out;
}

async function eachAsync<In, Result, Out>(
  events: readonly In[],
  first: number,
  pending: Promise<Result>,
  context: Context,
  fn: (event: In, context: Context) => Result | Promise<Result>,
  keep: (out: Out[], event: In, result: Result) => void,
  out: Out[],
): Promise<readonly Out[]> {
  keep(out, events[first] as In, await pending);
  for (let index = first + 1; index < events.length; index++) {
    const event = events[index] as In;
    keep(out, event, await fn(event, context));
  }
  return out;
}

function perEvent<In, Result, Out>(
  fn: (event: In, context: Context) => Result | Promise<Result>,
  keep: (out: Out[], event: In, result: Result) => void,
): ProducerConsumerClass<In, Out> {
  return class PerEvent extends ProducerConsumer<In, Out> {
    protected override handleEvents(events: readonly In[]): Emitted<Out> {
      return each(events, this.self, fn, keep);
    }
  };
}

/** One event in, one event out, in order. A promise is awaited before the next event. */
export function map<In, Out>(
  fn: (event: In, context: Context) => Out | Promise<Out>,
): ProducerConsumerClass<In, Out> {
  return perEvent<In, Out, Out>(fn, (out, _event, result) => void out.push(result));
}

/** Keeps the events for which `fn` holds. */
export function filter<T>(
  fn: (event: T, context: Context) => boolean | Promise<boolean>,
): ProducerConsumerClass<T, T> {
  return perEvent<T, boolean, T>(fn, (out, event, result) => {
    if (result) out.push(event);
  });
}

/** One event in, any number out. */
export function flatMap<In, Out>(
  fn: (event: In, context: Context) => Emitted<Out>,
): ProducerConsumerClass<In, Out> {
  return perEvent<In, readonly Out[] | void, Out>(fn, (out, _event, result) => {
    if (result !== undefined) for (const one of result) out.push(one);
  });
}

/** What a consumer's function is told: made once per subscription, since an object with a getter is dear to make. */
class BatchContext implements Context {
  readonly self: Context;
  readonly from: From;

  constructor(self: Context, from: From) {
    this.self = self;
    this.from = from;
  }

  get signal(): AbortSignal {
    return this.self.signal;
  }
}

/** A consumer from one function of a batch. */
export function consumer<In>(
  handleEvents: (
    events: readonly In[],
    context: Context & { readonly from: From },
  ) => void | Promise<void>,
): ConsumerClass<In> {
  return class FunctionConsumer extends Consumer<In> {
    #context: BatchContext | undefined = undefined;

    protected override handleEvents(events: readonly In[], from: From): void | Promise<void> {
      if (this.#context?.from !== from) this.#context = new BatchContext(this.self, from);
      return handleEvents(events, this.#context);
    }
  };
}
