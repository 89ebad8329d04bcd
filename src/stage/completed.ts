import { SluiceError, type Addressable } from "../support/internal.ts";
import { cellAt, lastAt, type Cell } from "../process/internal.ts";
import { Completion } from "./completion.ts";
import { EmittingEngine } from "./emitting-engine.ts";
import type { Emitting } from "./subscription.ts";

/**
 * Resolves when a finite source has ended and all that it gave, and what it became further downstream, has been handled,
 * whether the stages behind it end with it or live on. Rejects as soon as that cannot be any more, with whose end it was:
 * the source ended for another reason than `"normal"`, a stage behind it ended before it had handled all (also one that
 * is restarted: what it had in hand is gone), a child of a ConsumerSupervisor failed for good, a full buffer let go.
 *
 * It is about the incarnation that runs when it is called. A source that has ended by then is found by its ref or its
 * supervisor's child; its name is free. A consumer that wants to leave early without being missed cancels first. While
 * nobody subscribes to the source, it waits, as the source does.
 *
 * ```ts
 * import { child, completed, consumer, from, name, startSupervisor, type Producer } from "sluice";
 *
 * const lines = name<Producer<string>>("lines");
 * const store = consumer((batch: readonly string[]) => console.info(batch));
 * await using app = await startSupervisor({
 *   strategy: "rest_for_one",
 *   children: {
 *     lines: child(from(() => ["a", "b", "c"]), { name: lines, restart: "transient" }),
 *     store: child(store, { subscribeTo: [{ to: lines, cancel: "temporary" }] }),
 *   },
 * });
 * await completed(app.children.lines);
 * console.info("all stored");
 * ```
 * @throws SLUICE_EXITED (`details.reason` says of what), SLUICE_NO_PROCESS, SLUICE_NOT_A_PRODUCER as rejections
 */
export async function completed(
  source: Addressable & { readonly "~emits": Emitting<unknown> },
): Promise<void> {
  const cell: Cell | undefined = cellAt(source) ?? lastAt(source);
  const target = String(source);
  if (cell === undefined)
    throw new SluiceError("SLUICE_NO_PROCESS", `nobody at ${target} to complete`, { target });
  if (!(cell.engine instanceof EmittingEngine))
    throw new SluiceError("SLUICE_NOT_A_PRODUCER", `${target} is no producer`, { target });
  await new Completion(cell, cell.engine).settled();
}
