import type { Broadcast, Endpoint } from "../channels/index.ts";
import { currentSystem } from "../runtime/internal.ts";
import type { TaskFunction } from "../stage/index.ts";
import { checkDelivery, delivery, outgoing, type SinkOptions } from "./delivery.ts";

/**
 * A task for a ConsumerSupervisor that broadcasts its event and ends when the message is in the outbox of every socket
 * of its topic on this node, or the policy for slow clients has decided. Latency is measured from the event's entry into
 * the pipeline. At most once: a client that is not joined then misses it, unless the topic has history.
 *
 * @throws SluiceError `SLUICE_INVALID_OPTION`, naming the option.
 */
export function deliver<In, M, SA>(
  to: Endpoint<M, SA>,
  route: (event: In) => Broadcast<NoInfer<M>>,
  options: SinkOptions = {},
): TaskFunction<In> {
  checkDelivery("deliver", to, route, options);
  const send = delivery(to, options);
  return function deliver(event, context): Promise<void> | undefined {
    const { "~enteredMs": enteredMs } = context as unknown as { readonly "~enteredMs": number };
    return send(currentSystem(), outgoing(route(event)), enteredMs);
  };
}
