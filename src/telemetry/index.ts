// Events
export { attach } from "./emitters.ts";
export type { LogLevel, TelemetryEvent, TelemetryEvents } from "./events.ts";

// Histograms
export { Histogram } from "./histogram.ts";
export type { LatencySnapshot } from "./histogram.ts";
