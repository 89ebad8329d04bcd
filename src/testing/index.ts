export { logSuite } from "./log-suite.ts";
export type { LogSuiteOptions, SuiteCase } from "./log-suite.ts";
export { simulate } from "./simulate.ts";
export type { Faults, SimulateOptions, Simulation } from "./simulate.ts";
export type { SimulationReport } from "./tally.ts";
export { probeConsumer, probeProducer } from "./probes.ts";
export type { ConsumerProbe, ProducerProbe } from "./probes.ts";
export { memoryTransport } from "../channels/internal.ts";
export type { MemoryTransportOptions } from "../channels/internal.ts";
