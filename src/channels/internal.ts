export { clientsOf, onReceipt, send, whenJoined } from "./delivery-api.ts";
export type { SendOptions } from "./fan-out/broadcast.ts";
export { checkSlow } from "./check-definition.ts";
export { ChannelKind } from "./socket/channel-message.ts";
export { memoryTransport } from "./transport/memory-transport.ts";
export { memoryUrl } from "./transport/memory-listener.ts";
export type {
  CloseFacts,
  MemorySocket,
  MemoryTransportOptions,
} from "./transport/memory-transport.ts";
