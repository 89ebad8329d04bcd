export { sendReceipts } from "./receipts.ts";
export type { ReceivingChannel } from "./receipts.ts";
