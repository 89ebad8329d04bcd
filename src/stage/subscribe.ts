import { SluiceError, type Addressable, type ExitReason } from "../support/internal.ts";
import { closureMessage, State, type Cell } from "../process/internal.ts";
import { isManual } from "./accepting.ts";
import type { Inlet } from "./inlet.ts";
import type { Replaced } from "./protocol.ts";
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
  return asked(target, subscription, undefined);
}

/**
 * Puts another subscription in the place of `old`, as a message to its consumer: other terms, or another producer. The
 * producer ends the old one and takes the new one in one step; what it sent before is handled all the same. The consumer
 * hears of the end in `handleCancel`, with `reason`, and lives on whatever the old `cancel` mode was. Where `old` has
 * ended by itself, this is `subscribe`.
 *
 * ```ts
 * import { child, consumer, from, name, resubscribe, startSupervisor, subscribe, type Consumer, type Producer } from "sluice";
 *
 * const numbers = name<Producer<number>>("numbers");
 * const print = name<Consumer<number>>("print");
 * await using _app = await startSupervisor({
 *   strategy: "rest_for_one",
 *   children: {
 *     numbers: child(from(() => [1, 2, 3]), { name: numbers, restart: "transient" }),
 *     print: child(consumer((batch: readonly number[]) => console.info(batch)), { name: print, restart: "transient" }),
 *   },
 * });
 * const slow = await subscribe(print, { to: numbers, maxDemand: 1 });
 * await resubscribe(print, slow, { to: numbers, maxDemand: 100 });
 * ```
 * @throws SLUICE_NO_PROCESS, SLUICE_NOT_A_CONSUMER, SLUICE_NOT_A_PRODUCER, SLUICE_INVALID_OPTION as rejections, which
 *   leave the old subscription as it was
 */
export function resubscribe<In>(
  target: Addressable & { readonly "~accepts": Accepting<In> },
  old: Pick<From, "tag">,
  subscription: Subscription<NoInfer<In>>,
  reason: ExitReason = "normal",
): Promise<From> {
  return asked(target, subscription, { tag: old.tag, reason });
}

function asked<In>(
  target: Addressable,
  subscription: Subscription<In>,
  replaces: Replaced | undefined,
): Promise<From> {
  return new Promise((resolve, reject) => {
    const cell = target["~resolve"]() as Cell | undefined;
    const nobody = (): void => reject(noProcess(target, "subscribe"));
    if (cell === undefined || cell.state === State.dead) return nobody();
    const told = (cell.extras.onDead ??= new Set());
    told.add(nobody);
    cell.send(
      closureMessage(() => {
        told.delete(nobody);
        try {
          resolve(subscribeNow(cell, subscription, replaces));
        } catch (error) {
          reject(error);
        }
      }),
    );
  });
}

function subscribeNow<In>(
  cell: Cell,
  subscription: Subscription<In>,
  replaces: Replaced | undefined,
): From {
  const { inlet } = (cell.engine ?? {}) as { readonly inlet?: Inlet };
  const { pid: target, instance = {} } = cell;
  if (inlet === undefined)
    throw new SluiceError("SLUICE_NOT_A_CONSUMER", `${target} is no consumer`, { target });
  const intake = inlet.subscribe(
    subscription,
    "subscription",
    (terms, from) => isManual(cell, instance as StageCallbacks, terms, from),
    replaces,
  );
  if (intake === undefined)
    throw noProcess(subscription.to as unknown as Addressable, "subscribe to");
  return intake;
}

function noProcess(nobody: Addressable, what: string): SluiceError<"SLUICE_NO_PROCESS"> {
  const target = String(nobody);
  return new SluiceError("SLUICE_NO_PROCESS", `nobody at ${target} to ${what}`, { target });
}
