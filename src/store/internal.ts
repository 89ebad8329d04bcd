export { MemoryTopic } from "./memory-topic.ts";
