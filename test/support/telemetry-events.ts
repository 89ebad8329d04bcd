// All telemetry events that there are, for whoever hears every one: the types tell of one that is missing here.
import type { TelemetryEvent } from "sluice/telemetry";

const events: Readonly<Record<TelemetryEvent, true>> = {
  "sluice.stage.discarded": true,
  "sluice.stage.demand": true,
  "sluice.stage.stalled": true,
  "sluice.stage.recovered": true,
  "sluice.process.dropped": true,
  "sluice.process.exited": true,
  "sluice.process.zombie": true,
  "sluice.supervisor.restarted": true,
  "sluice.pubsub.unreached": true,
  "sluice.pubsub.unsent": true,
  "sluice.pubsub.up": true,
  "sluice.pubsub.down": true,
  "sluice.pubsub.gap": true,
  "sluice.pubsub.unread": true,
  "sluice.channels.serving": true,
  "sluice.channels.connected": true,
  "sluice.channels.joined": true,
  "sluice.channels.handled": true,
  "sluice.channels.crashed": true,
  "sluice.channels.refused": true,
  "sluice.channels.invalid": true,
  "sluice.channels.closed": true,
  "sluice.channels.drained": true,
  "sluice.history.failed": true,
  "sluice.history.lost": true,
  "sluice.history.joined": true,
  "sluice.history.refused": true,
  "sluice.presence.replica": true,
  "sluice.presence.ignored": true,
  "sluice.delivery.stop": true,
  "sluice.delivery.receipt": true,
  "sluice.log": true,
};

/** The names of all telemetry events. */
export const everyEvent: readonly TelemetryEvent[] = Object.keys(events) as TelemetryEvent[];
