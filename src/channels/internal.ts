export type { SendOptions } from "./broadcast.ts";
export { clientsOf, onReceipt, send, whenJoined } from "./reach.ts";
