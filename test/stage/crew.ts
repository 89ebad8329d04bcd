import {
  child,
  consumerSupervisor,
  name,
  startSupervisor,
  topology,
  type ConsumerSupervisor,
  type ConsumerSupervisorOptions,
  type EventChild,
  type EventProcessClass,
  type Name,
  type Producer,
  type RunningSupervisor,
  type Subscription,
  type TaskFunction,
} from "sluice";
import { probeProducer, type ProducerProbe } from "sluice/testing";

export const source: Name<Producer<number>> = name<Producer<number>>("source");
export const workers: Name<ConsumerSupervisor<number>> = name("workers");

/** A producer and a ConsumerSupervisor. */
export interface Crew {
  readonly probe: ProducerProbe<number>;
  readonly app: RunningSupervisor<never>;
  /** What the supervisor shows of itself. */
  figures(): object;
}

/** A producer that the test drives, and children per event below it. */
export async function crew(
  worker: TaskFunction<number> | EventProcessClass<number> | EventChild<number, unknown>,
  subscription: Omit<Subscription<number>, "to">,
  options: Partial<ConsumerSupervisorOptions<number>> = {},
): Promise<Crew & AsyncDisposable> {
  const probe = probeProducer<number>();
  const app = await startSupervisor({
    strategy: "rest_for_one",
    children: {
      source: child(probe.stage, { name: source, restart: "temporary" }),
      workers: consumerSupervisor(worker, {
        restart: "temporary",
        name: workers,
        subscribeTo: [{ to: source, ...subscription }],
        ...options,
      }),
    },
  });
  return {
    probe,
    app: app as never,
    figures: () => topology(workers).nodes[0]!.figures,
    [Symbol.asyncDispose]: () => app[Symbol.asyncDispose](),
  };
}

/** Work that the test lets end, event by event. */
export class Work {
  readonly begun: number[] = [];
  /** What was begun, whatever came first. */
  get sorted(): number[] {
    return this.begun.toSorted((a, b) => a - b);
  }
  readonly open: Map<number, PromiseWithResolvers<void>> = new Map();
  readonly run = (event: number): Promise<void> => {
    this.begun.push(event);
    const settle = Promise.withResolvers<void>();
    this.open.set(event, settle);
    return settle.promise;
  };
  end(event: number): void {
    this.open.get(event)?.resolve();
  }
}
