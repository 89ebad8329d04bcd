import { SluiceError, type Addressable } from "../support/internal.ts";
import { ClosureMessage, State, type Cell } from "../process/internal.ts";
import { isManual } from "./accepting.ts";
import type { Inlet } from "./inlet.ts";
import type { StageCallbacks } from "./stage-callbacks.ts";
import type { Accepting, From, Subscription } from "./subscription.ts";

/**
 * Subscribes a running consumer, as a message to it; resolves when the subscription was sent to the producer.
 * @throws SLUICE_NO_PROCESS, SLUICE_NOT_A_CONSUMER, SLUICE_NOT_A_PRODUCER, SLUICE_INVALID_OPTION as rejections, which
 *   leave the consumer as it was
 */
export function subscribe<In>(
  target: Addressable & { readonly "~accepts": Accepting<In> },
  subscription: Subscription<NoInfer<In>>,
): Promise<From> {
  return new Promise((resolve, reject) => {
    const cell = target["~resolve"]() as Cell | undefined;
    const text = String(target);
    if (cell === undefined || cell.state === State.dead) {
      return reject(
        new SluiceError("SLUICE_NO_PROCESS", `nobody at ${text} to subscribe`, { target: text }),
      );
    }
    cell.send(
      new ClosureMessage(() => {
        const { inlet } = (cell.engine ?? {}) as { inlet?: Inlet };
        if (inlet === undefined)
          return reject(
            new SluiceError("SLUICE_NOT_A_CONSUMER", `${cell.pid} is no consumer`, {
              target: cell.pid,
            }),
          );
        try {
          const intake = inlet.subscribe(subscription, "subscription", (terms, from) =>
            isManual(cell, (cell.instance ?? {}) as StageCallbacks, terms, from),
          );
          if (intake === undefined)
            reject(
              new SluiceError(
                "SLUICE_NO_PROCESS",
                `nobody at ${String(subscription.to)} to subscribe to`,
                { target: String(subscription.to) },
              ),
            );
          else resolve(intake);
        } catch (error) {
          reject(error);
        }
      }),
    );
  });
}
