export { bus } from "./bus.ts";
export type { Bus, Listener } from "./bus.ts";
