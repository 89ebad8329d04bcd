export { currentSystem } from "./system.ts";
export type { System } from "./system.ts";
