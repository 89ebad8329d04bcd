export { logSuite } from "./log-suite.ts";
export type { LogSuiteOptions, SuiteCase } from "./log-suite.ts";
export { simulate } from "./simulate.ts";
export type { Faults, SimulateOptions, Simulation, SimulationReport } from "./simulate.ts";
