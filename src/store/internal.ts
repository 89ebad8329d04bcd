export { memoryLogIn } from "./memory-log-in.ts";
export {
  checkBounds,
  checkEntries,
  checkListener,
  checkPosition,
  checkStart,
  checkTopic,
} from "./log-input.ts";
export { newEpoch } from "./new-epoch.ts";
export { Tail } from "./tail.ts";
