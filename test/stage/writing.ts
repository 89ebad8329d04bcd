import { into, start, withSystem, type Consumer, type IntoOptions, type Running } from "sluice";
import { probeProducer } from "sluice/testing";
import { turns, unhandled } from "./unhandled.ts";

/** A system of its own, in which nothing fails that nobody hears of. */
export function world(body: () => Promise<void>): Promise<void> {
  return withSystem(async () => {
    using watch = unhandled();
    await body();
    await turns();
    await watch.none();
  });
}

/** A producer driven by the test, and the stage that writes. */
export async function writing(
  open: Parameters<typeof into>[0],
  options?: IntoOptions,
): Promise<{
  emit: (events: readonly unknown[]) => void;
  asks: readonly number[];
  sink: Running<Consumer<unknown>>;
}> {
  const source = probeProducer<unknown>();
  const producer = await start(source.stage);
  const sink = await start(into<unknown>(open, options), {
    subscribeTo: [{ to: producer, maxDemand: 4, minDemand: 2 }],
  });
  void sink.exited.then(() => producer.stop());
  return { emit: source.emit, asks: source.asks, sink };
}
