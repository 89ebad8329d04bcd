/** Names that are callbacks, never messages. */
export type CallbackName =
  | "init"
  | "terminate"
  | "handleInfo"
  | "handleDemand"
  | "handleEvents"
  | "handleSubscribe"
  | "handleCancel"
  | "handleDiscarded";

export const callbackNames: ReadonlySet<string> = new Set<CallbackName>([
  "init",
  "terminate",
  "handleInfo",
  "handleDemand",
  "handleEvents",
  "handleSubscribe",
  "handleCancel",
  "handleDiscarded",
]);
