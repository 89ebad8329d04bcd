import type { Broadcast, Endpoint } from "../channels/index.ts";
import { cellOf } from "../process/internal.ts";
import { Consumer, type ConsumerClass } from "../stage/index.ts";
import type { ConsumerEngine } from "../stage/internal.ts";
import { delivery, outgoing, type Delivery, type SinkOptions } from "./delivery.ts";

/**
 * A consumer that broadcasts each event it receives, in order, and measures the latency from the event's entry into the
 * pipeline. With `slow: "wait"` a client that falls behind holds it up, and with it everything upstream, for `maxWaitMs`
 * at most. At most once: a client that is not joined then misses it, unless the topic has history.
 */
export function sink<In, M, SA>(
  to: Endpoint<M, SA>,
  route: (event: In) => Broadcast<NoInfer<M>>,
  options: SinkOptions = {},
): ConsumerClass<In> {
  return class Sink extends Consumer<In> {
    readonly #send: Delivery = delivery(to, options);

    protected override handleEvents(events: readonly In[]): void | Promise<void> {
      const { system, engine } = cellOf(this);
      const { enteredMs } = (engine as ConsumerEngine).inlet;
      for (let index = 0; index < events.length; index++) {
        const waiting = this.#send(system, outgoing(route(events[index] as In)), enteredMs);
        if (waiting !== undefined) return this.#rest(events, index + 1, enteredMs, waiting);
      }
    }

    async #rest(
      events: readonly In[],
      from: number,
      enteredMs: number,
      waiting: Promise<void>,
    ): Promise<void> {
      await waiting;
      // After an `await` the current system is the default one.
      const { system } = cellOf(this);
      for (let index = from; index < events.length; index++) {
        await this.#send(system, outgoing(route(events[index] as In)), enteredMs);
      }
    }
  };
}
