export { simulate } from "./simulate.ts";
export type { Faults, SimulateOptions, Simulation, SimulationReport } from "./simulate.ts";
