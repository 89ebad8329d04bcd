export { clientsOf, onReceipt, send, whenJoined } from "./delivery-side.ts";
export type { SendOptions } from "./broadcast.ts";
export { memoryTransport } from "./memory-transport.ts";
export type { MemoryTransportOptions } from "./memory-transport.ts";
