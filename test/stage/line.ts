import {
  map,
  start,
  topology,
  type Consumer,
  type Producer,
  type ProducerConsumer,
  type ProducerConsumerClass,
  type ProducerOptions,
  type Running,
} from "sluice";
import { probeProducer, type ConsumerProbe, type ProducerProbe } from "sluice/testing";
import { byHand } from "./probing.ts";

/** Hands on what it gets. */
export const same: ProducerConsumerClass<number, number> = map((event: number) => event);

/** A processor between a source and a sink that the test drives. */
export interface Line extends AsyncDisposable {
  readonly source: ProducerProbe<number>;
  readonly sink: ConsumerProbe<number>;
  readonly producer: Running<Producer<number>>;
  readonly processor: Running<ProducerConsumer<number, number>>;
  readonly consumer: Running<Consumer<number>>;
  readonly figure: (name: string) => number | undefined;
}

/** A producer, a processor and a consumer that asks by hand. */
export async function line(
  stage: ProducerConsumerClass<number, number>,
  window: { readonly maxDemand?: number; readonly minDemand?: number } = {},
  options: ProducerOptions<number> = {},
): Promise<Line> {
  const source = probeProducer<number>();
  const sink = byHand<number>();
  const producer = await start(source.stage);
  const processor = await start(stage, { ...options, subscribeTo: [{ to: producer, ...window }] });
  const consumer = await start(sink.stage, {
    subscribeTo: [{ to: processor, cancel: "temporary" }],
  });
  return {
    source,
    sink,
    producer,
    processor,
    consumer,
    figure: (name) => topology(processor).nodes[0]!.figures[name],
    async [Symbol.asyncDispose]() {
      for (const stage of [producer, processor, consumer]) await stage.stop("shutdown");
    },
  };
}
