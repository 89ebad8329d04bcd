import {
  Consumer,
  sleep,
  start,
  subscribe,
  topology,
  type Addressable,
  type From,
  type Producer,
  type Running,
  type TopologyEdge,
} from "sluice";
import { probeProducer, type ProducerProbe } from "sluice/testing";

/** Handles events one batch after the other, each in its time, and lends its subscriptions to the test. */
export class Reader extends Consumer<number> {
  readonly handled: number[];
  readonly takesMs: number;
  readonly lent: From[];
  constructor(handled: number[], lent: From[] = [], takesMs = 0) {
    super();
    this.handled = handled;
    this.lent = lent;
    this.takesMs = takesMs;
  }
  protected override handleSubscribe(_role: unknown, _terms: unknown, from: From): void {
    this.lent.push(from);
  }
  protected override handleEvents(events: readonly number[]): void | Promise<void> {
    if (this.takesMs === 0) return void this.handled.push(...events);
    return sleep(this.takesMs).then(() => void this.handled.push(...events));
  }
}

/** A source and its reader, running. */
export interface Reading extends AsyncDisposable {
  readonly source: ProducerProbe<number>;
  readonly producer: Running<Producer<number>>;
  readonly consumer: Running<Reader>;
  readonly from: From;
  readonly handled: number[];
  readonly asks: readonly number[];
}

/** A source that the test drives, and a reader of it. */
export async function reading(
  window: { readonly maxDemand: number; readonly minDemand?: number },
  takesMs = 0,
): Promise<Reading> {
  const source = probeProducer<number>();
  const handled: number[] = [];
  const lent: From[] = [];
  const producer = await start(source.stage);
  const consumer = await start(Reader, { args: [handled, lent, takesMs] });
  const from = await subscribe(consumer, { to: producer, ...window, cancel: "temporary" });
  return {
    source,
    producer,
    consumer,
    from,
    handled,
    asks: source.asks,
    async [Symbol.asyncDispose]() {
      await consumer.stop("shutdown");
      await producer.stop("shutdown");
    },
  };
}

/** The first subscription of a stage. */
export const edge = (consumer: Addressable): TopologyEdge => topology(consumer).edges[0]!;
/** How many events wait before it. */
export const waiting = (stage: Addressable): number | undefined =>
  topology(stage).nodes[0]!.figures["waiting"];
