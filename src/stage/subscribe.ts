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
    const nobody = (): void => reject(noProcess(target, "subscribe"));
    if (cell === undefined || cell.state === State.dead) return nobody();
    const told = (cell.extras.onDead ??= new Set());
    told.add(nobody);
    cell.send(
      new ClosureMessage(() => {
        told.delete(nobody);
        try {
          resolve(subscribeNow(cell, subscription));
        } catch (error) {
          reject(error);
        }
      }),
    );
  });
}

function subscribeNow<In>(cell: Cell, subscription: Subscription<In>): From {
  const { inlet } = (cell.engine ?? {}) as { readonly inlet?: Inlet };
  const { pid: target, instance = {} } = cell;
  if (inlet === undefined)
    throw new SluiceError("SLUICE_NOT_A_CONSUMER", `${target} is no consumer`, { target });
  const intake = inlet.subscribe(subscription, "subscription", (terms, from) =>
    isManual(cell, instance as StageCallbacks, terms, from),
  );
  if (intake === undefined)
    throw noProcess(subscription.to as unknown as Addressable, "subscribe to");
  return intake;
}

function noProcess(nobody: Addressable, what: string): SluiceError<"SLUICE_NO_PROCESS"> {
  const target = String(nobody);
  return new SluiceError("SLUICE_NO_PROCESS", `nobody at ${target} to ${what}`, { target });
}
