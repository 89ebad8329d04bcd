export {
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
