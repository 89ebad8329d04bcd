import type { Broadcast, Endpoint } from "../channels/index.ts";
import { cellOf } from "../process/internal.ts";
import { Consumer, type ConsumerClass } from "../stage/index.ts";
import type { ConsumerEngine } from "../stage/internal.ts";
import { checkDelivery, delivery, outgoing, type Delivery, type SinkOptions } from "./delivery.ts";

/** Events that a log may have to answer for one sink: well below what it may have for its endpoint. */
const eventsUnderWay = 1_000;

/**
 * A consumer that broadcasts each event it receives, in order, and measures the latency from the event's entry into the
 * pipeline. With `slow: "wait"` a client that falls behind holds it up, and with it everything upstream, for `maxWaitMs`
 * at most. At most once: a client that is not joined then misses it, unless the topic has history.
 *
 * Where a topic has history, the batch is done when its log has all of it: a log that is slow slows the pipeline. An event
 * that the log does not take crashes the sink, since nobody could say what became of it.
 *
 * @throws SluiceError `SLUICE_INVALID_OPTION`, naming the option.
 */
export function sink<In, M, SA>(
  to: Endpoint<M, SA>,
  route: (event: In) => Broadcast<NoInfer<M>>,
  options: SinkOptions = {},
): ConsumerClass<In> {
  checkDelivery("sink", to, route, options);
  // Whoever waits for clients waits after each event. In a log events stand in the order of the calls: it has many at once.
  const window = options.slow === "wait" ? 1 : eventsUnderWay;
  return class Sink extends Consumer<In> {
    readonly #send: Delivery = delivery(to, options);

    protected override handleEvents(events: readonly In[]): void | Promise<void> {
      return this.#deliver(events, 0, (cellOf(this).engine as ConsumerEngine).inlet.enteredMs);
    }

    #deliver(events: readonly In[], from: number, enteredMs: number): void | Promise<void> {
      // After an `await` the current system is the default one.
      const { system } = cellOf(this);
      const underWay: Promise<void>[] = [];
      try {
        for (let index = from; index < events.length; index++) {
          const waiting = this.#send(system, outgoing(route(events[index] as In)), enteredMs);
          if (waiting !== undefined && underWay.push(waiting) >= window)
            return Promise.all(underWay).then(() => this.#deliver(events, index + 1, enteredMs));
        }
      } catch (error) {
        // It crashes over this one, whatever becomes of those before it.
        void Promise.allSettled(underWay);
        throw error;
      }
      return underWay.length === 0 ? undefined : Promise.all(underWay).then(() => {});
    }
  };
}
