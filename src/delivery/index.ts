export { deliver } from "./deliver.ts";
export { deliveryFigures } from "./delivery.ts";
export type { SinkOptions } from "./delivery.ts";
export type { DeliveryFigures } from "./meter.ts";
export { sink } from "./sink.ts";
