import { invalidOption } from "../support/internal.ts";
import { Emitter } from "./emitter.ts";
import type { LogLevel, TelemetryEvent, TelemetryEvents } from "./events.ts";

function print({ level, message, details }: TelemetryEvents["sluice.log"]): void {
  if (level !== "warning" && level !== "error") return;
  const write = level === "error" ? console.error : console.warn;
  if (details === undefined) write(`sluice: ${message}`);
  else write(`sluice: ${message}`, details);
}

const failure = (event: TelemetryEvent, error: unknown): TelemetryEvents["sluice.log"] => ({
  level: "error",
  message: `a listener of ${event} threw and was detached`,
  details: error,
});

// A log that fails is not told to the log.
const logs = new Emitter("sluice.log", (event, error) => print(failure(event, error)), print);

function emitter<E extends TelemetryEvent>(event: E): Emitter<E> {
  return new Emitter(event, (failed, error) => logs.emit(failure(failed, error)));
}

const emitters: { readonly [E in TelemetryEvent]: Emitter<E> } = {
  "sluice.stage.discarded": emitter("sluice.stage.discarded"),
  "sluice.stage.demand": emitter("sluice.stage.demand"),
  "sluice.stage.stalled": emitter("sluice.stage.stalled"),
  "sluice.stage.recovered": emitter("sluice.stage.recovered"),
  "sluice.process.dropped": emitter("sluice.process.dropped"),
  "sluice.process.exited": emitter("sluice.process.exited"),
  "sluice.process.zombie": emitter("sluice.process.zombie"),
  "sluice.supervisor.restarted": emitter("sluice.supervisor.restarted"),
  "sluice.pubsub.unreached": emitter("sluice.pubsub.unreached"),
  "sluice.pubsub.unsent": emitter("sluice.pubsub.unsent"),
  "sluice.pubsub.up": emitter("sluice.pubsub.up"),
  "sluice.pubsub.down": emitter("sluice.pubsub.down"),
  "sluice.pubsub.gap": emitter("sluice.pubsub.gap"),
  "sluice.pubsub.unread": emitter("sluice.pubsub.unread"),
  "sluice.channels.serving": emitter("sluice.channels.serving"),
  "sluice.channels.connected": emitter("sluice.channels.connected"),
  "sluice.channels.joined": emitter("sluice.channels.joined"),
  "sluice.channels.handled": emitter("sluice.channels.handled"),
  "sluice.channels.crashed": emitter("sluice.channels.crashed"),
  "sluice.channels.refused": emitter("sluice.channels.refused"),
  "sluice.channels.invalid": emitter("sluice.channels.invalid"),
  "sluice.channels.closed": emitter("sluice.channels.closed"),
  "sluice.channels.drained": emitter("sluice.channels.drained"),
  "sluice.history.failed": emitter("sluice.history.failed"),
  "sluice.history.lost": emitter("sluice.history.lost"),
  "sluice.history.joined": emitter("sluice.history.joined"),
  "sluice.history.refused": emitter("sluice.history.refused"),
  "sluice.presence.replica": emitter("sluice.presence.replica"),
  "sluice.presence.ignored": emitter("sluice.presence.ignored"),
  "sluice.delivery.stop": emitter("sluice.delivery.stop"),
  "sluice.delivery.receipt": emitter("sluice.delivery.receipt"),
  "sluice.log": logs,
};

export const discarded: Emitter<"sluice.stage.discarded"> = emitters["sluice.stage.discarded"];
export const demanded: Emitter<"sluice.stage.demand"> = emitters["sluice.stage.demand"];
export const stalled: Emitter<"sluice.stage.stalled"> = emitters["sluice.stage.stalled"];
export const recovered: Emitter<"sluice.stage.recovered"> = emitters["sluice.stage.recovered"];
export const dropped: Emitter<"sluice.process.dropped"> = emitters["sluice.process.dropped"];
export const exited: Emitter<"sluice.process.exited"> = emitters["sluice.process.exited"];
export const zombie: Emitter<"sluice.process.zombie"> = emitters["sluice.process.zombie"];
export const restarted: Emitter<"sluice.supervisor.restarted"> =
  emitters["sluice.supervisor.restarted"];
export const unreached: Emitter<"sluice.pubsub.unreached"> = emitters["sluice.pubsub.unreached"];
export const unsent: Emitter<"sluice.pubsub.unsent"> = emitters["sluice.pubsub.unsent"];
export const up: Emitter<"sluice.pubsub.up"> = emitters["sluice.pubsub.up"];
export const down: Emitter<"sluice.pubsub.down"> = emitters["sluice.pubsub.down"];
export const gap: Emitter<"sluice.pubsub.gap"> = emitters["sluice.pubsub.gap"];
export const unread: Emitter<"sluice.pubsub.unread"> = emitters["sluice.pubsub.unread"];
export const serving: Emitter<"sluice.channels.serving"> = emitters["sluice.channels.serving"];
export const connected: Emitter<"sluice.channels.connected"> =
  emitters["sluice.channels.connected"];
export const joined: Emitter<"sluice.channels.joined"> = emitters["sluice.channels.joined"];
export const handled: Emitter<"sluice.channels.handled"> = emitters["sluice.channels.handled"];
export const crashed: Emitter<"sluice.channels.crashed"> = emitters["sluice.channels.crashed"];
export const refused: Emitter<"sluice.channels.refused"> = emitters["sluice.channels.refused"];
export const invalid: Emitter<"sluice.channels.invalid"> = emitters["sluice.channels.invalid"];
export const closed: Emitter<"sluice.channels.closed"> = emitters["sluice.channels.closed"];
export const drained: Emitter<"sluice.channels.drained"> = emitters["sluice.channels.drained"];
export const appendFailed: Emitter<"sluice.history.failed"> = emitters["sluice.history.failed"];
export const tailLost: Emitter<"sluice.history.lost"> = emitters["sluice.history.lost"];
export const entriesRefused: Emitter<"sluice.history.refused"> = emitters["sluice.history.refused"];
export const historyJoined: Emitter<"sluice.history.joined"> = emitters["sluice.history.joined"];
export const presenceReplica: Emitter<"sluice.presence.replica"> =
  emitters["sluice.presence.replica"];
export const presenceIgnored: Emitter<"sluice.presence.ignored"> =
  emitters["sluice.presence.ignored"];
export const delivered: Emitter<"sluice.delivery.stop"> = emitters["sluice.delivery.stop"];
export const received: Emitter<"sluice.delivery.receipt"> = emitters["sluice.delivery.receipt"];

/** Tells whoever runs the program; warnings and errors are never silent. Never throws. */
export function log(level: LogLevel, message: string, details?: unknown): void {
  logs.emit({ level, message, details });
}

/**
 * Listens to one telemetry event until disposed.
 *
 * The listener runs inside of what emits, at once and in the order of attachment: it should be short. One that throws
 * is detached and reported as `sluice.log`; it hurts neither the emitter nor other listeners. Attaching and disposing
 * is allowed at any time; what is disposed is not called again, what is attached during an event first gets the next.
 * A listener does not get events that it causes itself while it runs.
 * While nobody listens, an event costs about a nanosecond.
 *
 * On Node, each event is also published on the `node:diagnostics_channel` of its name. The first listener of
 * `sluice.log` replaces the default logger, which prints warnings and errors to the console.
 *
 * @throws SluiceError `SLUICE_INVALID_OPTION` for an event that there is not, and for a listener that is no function.
 */
export function attach<E extends TelemetryEvent>(
  event: E,
  listener: (measurement: TelemetryEvents[E]) => void,
): Disposable {
  if (!Object.hasOwn(emitters, event))
    throw invalidOption("attach: event", event, `one of ${Object.keys(emitters).join(", ")}`);
  if (typeof listener !== "function")
    throw invalidOption("attach: listener", listener, "a function");
  return emitters[event].attach(listener);
}
