export { clientsOf, onReceipt, send, whenJoined } from "./delivery-api.ts";
export type { SendOptions } from "./broadcast.ts";
export { memoryTransport } from "./memory-transport.ts";
export type { MemoryTransportOptions } from "./memory-transport.ts";
