export type { Emitter } from "./emitter.ts";
export {
  attach,
  closed,
  delivered,
  demanded,
  discarded,
  dropped,
  exited,
  log,
  received,
  refused,
  restarted,
  unreached,
  zombie,
} from "./emitters.ts";
export { Histogram } from "./histogram.ts";
export type { LatencySnapshot } from "./histogram.ts";
