export { DispatcherBench } from "./dispatcher-bench.ts";
export { seededRandom } from "./seeded-random.ts";
