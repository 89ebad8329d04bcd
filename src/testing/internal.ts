export { DispatcherBench } from "./dispatcher-bench.ts";
