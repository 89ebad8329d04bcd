import { checkFunction } from "../process/internal.ts";
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
  checkFunction("producer", handleDemand);
  return class FunctionProducer extends Producer<Out> {
    protected override handleDemand(demand: number, context: Context): Emitted<Out> {
      return handleDemand(demand, context);
    }
  };
}

/** One apart from the engine's, which meets many shapes: the compiler finds `then` at once among the few that pass here. */
function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as { readonly then?: unknown }).then === "function"
  );
}

/** From the first promise on, the rest of a batch is awaited one by one; each result is kept, then `out` is what it gave. */
async function awaitRest<In, Result, Out>(
  events: readonly In[],
  first: number,
  pending: PromiseLike<Result>,
  context: Context,
  fn: (event: In, context: Context) => Result | Promise<Result>,
  keep: (out: Out[], result: Result, event: In) => void,
  out: Out[],
): Promise<readonly Out[]> {
  keep(out, await pending, events[first] as In);
  for (let index = first + 1; index < events.length; index++) {
    const event = events[index] as In;
    keep(out, await fn(event, context), event);
  }
  return out;
}

/**
 * One event in, one event out, in order. A promise is awaited before the next event, unless the stage is given
 * `concurrency`.
 */
export function map<In, Out>(
  fn: (event: In, context: Context) => Out | Promise<Out>,
): ProducerConsumerClass<In, Out> {
  checkFunction("map", fn);
  return class MapStage extends ProducerConsumer<In, Out> {
    protected override handleEvents(
      events: readonly In[],
      _from: From,
      context: Context,
    ): Emitted<Out> {
      const out = new Array<Out>(events.length);
      for (let index = 0; index < events.length; index++) {
        const result = fn(events[index] as In, context);
        if (isThenable(result)) {
          out.length = index;
          return awaitRest(events, index, result, context, fn, keepAll, out);
        }
        out[index] = result;
      }
      return out;
    }
  };
}

function keepAll<Out>(out: Out[], result: Out): void {
  out.push(result);
}

/** Keeps the events for which `fn` holds. */
export function filter<T>(
  fn: (event: T, context: Context) => boolean | Promise<boolean>,
): ProducerConsumerClass<T, T> {
  checkFunction("filter", fn);
  return class FilterStage extends ProducerConsumer<T, T> {
    protected override handleEvents(
      events: readonly T[],
      _from: From,
      context: Context,
    ): Emitted<T> {
      const out: T[] = [];
      for (let index = 0; index < events.length; index++) {
        const event = events[index] as T;
        const result = fn(event, context);
        if (isThenable(result)) return awaitRest(events, index, result, context, fn, keepIf, out);
        if (result) out.push(event);
      }
      return out;
    }
  };
}

function keepIf<T>(out: T[], result: boolean, event: T): void {
  if (result) out.push(event);
}

/** One event in, any number out. */
export function flatMap<In, Out>(
  fn: (event: In, context: Context) => Emitted<Out>,
): ProducerConsumerClass<In, Out> {
  checkFunction("flatMap", fn);
  return class FlatMapStage extends ProducerConsumer<In, Out> {
    protected override handleEvents(
      events: readonly In[],
      _from: From,
      context: Context,
    ): Emitted<Out> {
      const out: Out[] = [];
      for (let index = 0; index < events.length; index++) {
        const result = fn(events[index] as In, context);
        if (isThenable(result))
          return awaitRest<In, readonly Out[] | void, Out>(
            events,
            index,
            result,
            context,
            fn,
            keepEach,
            out,
          );
        keepEach(out, result);
      }
      return out;
    }
  };
}

function keepEach<Out>(out: Out[], result: readonly Out[] | void): void {
  if (result !== undefined) for (const one of result) out.push(one);
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
  checkFunction("consumer", handleEvents);
  return class FunctionConsumer extends Consumer<In> {
    #context: BatchContext | undefined = undefined;

    protected override handleEvents(
      events: readonly In[],
      from: From,
      context: Context,
    ): void | Promise<void> {
      if (this.#context?.from !== from || this.#context.self !== context)
        this.#context = new BatchContext(context, from);
      return handleEvents(events, this.#context);
    }
  };
}

/**
 * A consumer from one function of an event. A promise is awaited before the next event, unless the stage is given
 * `concurrency`.
 */
export function forEach<In>(
  fn: (event: In, context: Context) => void | Promise<void>,
): ConsumerClass<In> {
  checkFunction("forEach", fn);
  return class PerEventConsumer extends Consumer<In> {
    protected override handleEvents(
      events: readonly In[],
      _from: From,
      context: Context,
    ): void | Promise<void> {
      for (let index = 0; index < events.length; index++) {
        const result = fn(events[index] as In, context);
        if (isThenable(result)) return restOf(events, index + 1, result, context, fn);
      }
    }
  };
}

async function restOf<In>(
  events: readonly In[],
  first: number,
  pending: Promise<void>,
  context: Context,
  fn: (event: In, context: Context) => void | Promise<void>,
): Promise<void> {
  await pending;
  for (let index = first; index < events.length; index++) await fn(events[index] as In, context);
}
