import { checkInteger, invalidOption } from "../support/internal.ts";
import { stream, type StreamOptions } from "./stream.ts";
import type { Source, Subscription, Subscriptions } from "./subscription.ts";

/** How to read stages as a Web stream. */
export interface ReadableOptions<Out> extends StreamOptions {
  /**
   * How much may be on its way and unread. Counted (a `CountQueuingStrategy`, or without `size`), its `highWaterMark` is
   * the window of each producer, unless `maxDemand` says otherwise. Measured by `size`, events are asked for one by one,
   * or in windows of `maxDemand`, while less than `highWaterMark` is unread.
   */
  readonly strategy?: QueuingStrategy<Out>;
}

/**
 * Reads producers as a Web `ReadableStream`, by demand: nothing is asked for before the first read, and what is on its way
 * has its bound in the window or in the queuing strategy. It closes when no subscription is left, as `stream` does, errors
 * once with what `stream` would have thrown, and cancels the subscriptions when it is cancelled. `ReadableStream.from` and
 * Node's `Readable.from` also take `stream(…)` as it is.
 *
 * ```ts
 * import { from, readable, start } from "sluice";
 *
 * await using lines = await start(from(() => ["one\n", "two\n"]));
 * const strategy = new CountQueuingStrategy({ highWaterMark: 16 });
 * const zipped = readable(lines, { strategy })
 *   .pipeThrough(new TextEncoderStream())
 *   .pipeThrough(new CompressionStream("gzip"));
 * console.info((await new Response(zipped).arrayBuffer()).byteLength);
 * ```
 * @throws SLUICE_INVALID_OPTION
 */
export function readable<Out>(
  source: Source<Out> | Subscription<Out> | Subscriptions<Out>,
  options: ReadableOptions<Out> = {},
): ReadableStream<Out> {
  const { strategy, ...rest } = options;
  if (strategy !== undefined && (typeof strategy !== "object" || strategy === null))
    throw invalidOption("readable: strategy", strategy, "a queuing strategy");
  const { size, highWaterMark } = strategy ?? {};
  const measured = size !== undefined && !(strategy instanceof CountQueuingStrategy);
  let window: StreamOptions = {};
  if (measured) window = { maxDemand: 1 };
  else if (highWaterMark !== undefined) {
    checkInteger("readable: strategy.highWaterMark", highWaterMark, 0);
    window = { maxDemand: Math.max(highWaterMark, 1) };
  }
  const reader = stream<Out>(source, { ...window, ...rest })[Symbol.asyncIterator]();
  return new ReadableStream<Out>(
    {
      async pull(controller) {
        const step = await reader.next();
        if (step.done === true) controller.close();
        else controller.enqueue(step.value);
      },
      async cancel() {
        await reader.return();
      },
    },
    // What the window has let come waits with the reader: a queue of the stream's own would double it.
    measured ? strategy : { highWaterMark: 0 },
  );
}
