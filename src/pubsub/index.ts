export { topic, topics } from "./topic.ts";
export type { Topic } from "./topic.ts";
