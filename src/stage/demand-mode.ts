import { SluiceError, invalidOption, type Addressable } from "../support/internal.ts";
import { closureMessage, State, type Cell } from "../process/internal.ts";
import type { EmittingEngine } from "./emitting-engine.ts";
import { emitsEvents } from "./emitting.ts";
import { checkMode, type ProducerEngine } from "./producer-engine.ts";
import type { Source } from "./subscription.ts";

/** What a producer does with demand and events: it passes them on, or keeps both until it is told to. */
export type DemandMode = "forward" | "accumulate";

/** @throws SLUICE_NO_PROCESS, SLUICE_NOT_A_PRODUCER */
function producerAt(stage: Source<unknown>): Cell {
  const at = stage as unknown as Addressable;
  const cell = at["~resolve"]() as Cell | undefined;
  const target = at.toString();
  if (cell === undefined || cell.state === State.dead)
    throw new SluiceError("SLUICE_NO_PROCESS", `nobody at ${target}`, { target });
  if (!emitsEvents(cell))
    throw new SluiceError("SLUICE_NOT_A_PRODUCER", `${cell.pid} is no producer`, {
      target: cell.pid,
    });
  return cell;
}

/**
 * What a producer does with demand now; `"forward"` of a producer-consumer, which knows nothing else. Does not wait for
 * the producer.
 * @throws SLUICE_NO_PROCESS, SLUICE_NOT_A_PRODUCER
 */
export function demandMode(stage: Source<unknown>): DemandMode {
  const { engine } = producerAt(stage);
  return engine?.role === "producer" ? (engine as ProducerEngine).mode : "forward";
}

/**
 * Tells a producer to keep demand and events, or to pass them on again. `"accumulate"` holds at once, whatever callback
 * is in hand: what is emitted from then on waits in the buffer, by its limit and its rule, and what is asked for waits
 * too. `"forward"` is a message to the producer: what waits goes out, batch by batch as it was emitted, then what is
 * still missing is demanded ask by ask. A drain does the same. Twice the same changes nothing.
 *
 * ```ts
 * import { Producer, child, consumer, name, setDemandMode, startSupervisor } from "sluice";
 *
 * class Clock extends Producer<number> {
 *   beat(at: number): void {
 *     this.emit([at]);
 *   }
 * }
 * const clock = name<Clock>("clock");
 * const print = consumer((beats: readonly number[]) => console.info(beats));
 * await using app = await startSupervisor({
 *   strategy: "rest_for_one",
 *   children: {
 *     clock: child(Clock, { name: clock, demand: "accumulate" }),
 *     one: child(print, { subscribeTo: [clock] }),
 *     two: child(print, { subscribeTo: [clock] }),
 *   },
 * });
 * app.children.clock.cast.beat(1);
 * // Everybody has subscribed: from here on events flow.
 * setDemandMode(clock, "forward");
 * ```
 * @throws SLUICE_NO_PROCESS, SLUICE_NOT_A_PRODUCER, SLUICE_INVALID_OPTION for `"accumulate"` of a producer-consumer
 */
export function setDemandMode(stage: Source<unknown>, mode: DemandMode): void {
  checkMode("mode", mode);
  const cell = producerAt(stage);
  const { engine } = cell;
  if (engine?.role === "producer") (engine as ProducerEngine).setMode(mode);
  // Its first turn is still to come.
  else if (engine === undefined) cell.send(closureMessage(() => setDemandMode(stage, mode)));
  else if (mode === "accumulate")
    throw invalidOption(
      "mode",
      mode,
      `"forward": ${cell.pid} stands still by itself when its consumers do`,
    );
}

/**
 * How many events wait in the buffer of a stage; its inbox, its offers and what is under way do not count. Does not wait
 * for the stage.
 * @throws SLUICE_NO_PROCESS, SLUICE_NOT_A_PRODUCER
 */
export function bufferedCount(stage: Source<unknown>): number {
  const { engine } = producerAt(stage);
  return (engine as EmittingEngine | undefined)?.outlet.buffer.size ?? 0;
}
