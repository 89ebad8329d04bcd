import { checkInteger, invalidOption } from "../support/internal.ts";
import { demandDispatcher } from "./demand-dispatcher.ts";
import type { Dispatcher } from "./dispatcher.ts";

/** Options of whatever emits. */
export interface OutletOptions {
  readonly bufferSize?: number;
  readonly bufferKeep?: "last" | "first";
  readonly maxOffers?: number;
  readonly dispatcher?: Dispatcher<never>;
}

const defaultMaxOffers = 1_000;

/** The options with their defaults. @throws SLUICE_INVALID_OPTION */
export function checked(
  options: OutletOptions,
  defaultBufferSize: number,
): Required<Omit<OutletOptions, "dispatcher">> & { readonly dispatcher: Dispatcher<unknown> } {
  const {
    bufferSize = defaultBufferSize,
    bufferKeep = "last",
    maxOffers = defaultMaxOffers,
    dispatcher = demandDispatcher(),
  } = options;
  if (bufferSize !== Infinity) checkInteger("bufferSize", bufferSize, 0);
  checkInteger("maxOffers", maxOffers, 0);
  if (bufferKeep !== "last" && bufferKeep !== "first")
    throw invalidOption("bufferKeep", bufferKeep, '"last" or "first"');
  if (typeof dispatcher?.make !== "function")
    throw invalidOption("dispatcher", dispatcher, "what demandDispatcher() or the like returns");
  return { bufferSize, bufferKeep, maxOffers, dispatcher: dispatcher as Dispatcher<unknown> };
}
