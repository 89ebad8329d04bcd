export { memoryLogIn } from "./memory-log-in.ts";
