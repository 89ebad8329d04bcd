export { clientsOf, onReceipt, send, whenJoined } from "./delivery-api.ts";
export type { SendOptions } from "./broadcast.ts";
export { memoryTransport } from "./memory-transport.ts";
export { memoryUrl } from "./memory-listener.ts";
export type { CloseFacts, MemorySocket, MemoryTransportOptions } from "./memory-transport.ts";
