import { describe, expect, it } from "vitest";
import { Process, name, start } from "../process/index.ts";
import { probeConsumer, probeProducer, simulate } from "../testing/index.ts";
import { Consumer } from "./consumer.ts";
import type { Producer } from "./producer.ts";
import type { CancelCause } from "./stage-callbacks.ts";
import { subscribe } from "./subscribe.ts";
import type { From } from "./subscription.ts";
import { topology } from "./topology.ts";

const nobody = name<Producer<number>>("nobody");

describe("subscribe", () => {
  it("S43: subscribes a running consumer, by ref or by name", async () => {
    await simulate(
      async ({ quiet }) => {
        const source = probeProducer<number>();
        const seen = probeConsumer<number>();
        const eager = name<Consumer<number>>("eager");
        await using producer = await start(source.stage);
        await using _consumer = await start(seen.stage, { name: eager });
        const from = await subscribe(eager, { to: producer, maxDemand: 2 });
        source.emit([1]);
        await quiet();
        expect(from.ref.pid).toBe(producer.pid);
        expect(seen.batches).toEqual([[1]]);
        expect(source.asks).toEqual([2, 1]);
      },
      { seeds: 10 },
    );
  });

  it("S44: nobody to subscribe rejects", async () => {
    await simulate(
      async () => {
        await using producer = await start(probeProducer<number>().stage);
        const gone = await start(probeConsumer<number>().stage);
        await gone.stop();
        for (const whom of [gone, name<Consumer<number>>("no consumer")])
          await expect(subscribe(whom, { to: producer })).rejects.toMatchObject({
            code: "SLUICE_NO_PROCESS",
          });
      },
      { seeds: 3 },
    );
  });

  it("a consumer that ends before it has subscribed rejects", async () => {
    await simulate(
      async () => {
        await using producer = await start(probeProducer<number>().stage);
        const consumer = await start(probeConsumer<number>().stage);
        const stopped = consumer.stop();
        await expect(subscribe(consumer, { to: producer })).rejects.toMatchObject({
          code: "SLUICE_NO_PROCESS",
          details: { target: consumer.pid },
        });
        await stopped;
      },
      { seeds: 10 },
    );
  });

  it("S45, S47, S49: bad options and nobody to subscribe to reject, and leave the consumer as it was", async () => {
    await simulate(
      async ({ quiet }) => {
        const source = probeProducer<number>();
        await using producer = await start(source.stage);
        await using consumer = await start(probeConsumer<number>().stage, {
          subscribeTo: [producer],
        });
        await expect(subscribe(consumer, { to: producer, maxDemand: 0 })).rejects.toMatchObject({
          code: "SLUICE_INVALID_OPTION",
          details: { option: "subscription.maxDemand", got: "0" },
        });
        for (const cancel of ["permanent", "temporary"] as const)
          await expect(subscribe(consumer, { to: nobody, cancel })).rejects.toMatchObject({
            code: "SLUICE_NO_PROCESS",
            details: { target: "the name nobody" },
          });
        await quiet();
        expect(topology(consumer).edges).toHaveLength(1);
      },
      { seeds: 5 },
    );
  });

  it("G51: the end of a producer comes under the tag of each subscription to it; gone, it is told to whoever asks", async () => {
    class Watching extends Consumer<number> {
      readonly #told: unknown[];
      constructor(told: unknown[]) {
        super();
        this.#told = told;
      }
      protected override handleEvents(): void {}
      protected override handleCancel({ kind, reason }: CancelCause, { tag }: From): void {
        this.#told.push([kind, reason, tag]);
      }
    }
    await simulate(
      async ({ quiet }) => {
        const told: unknown[] = [];
        const producer = await start(probeProducer<number>().stage);
        await using consumer = await start(Watching, { args: [told] });
        const subscription = { to: producer, cancel: "temporary" } as const;
        const one = await subscribe(consumer, subscription);
        const two = await subscribe(consumer, subscription);
        await producer.stop("shutdown");
        await quiet();
        expect(told).toEqual([
          ["down", "shutdown", one.tag],
          ["down", "shutdown", two.tag],
        ]);
        const gone = { code: "SLUICE_NO_PROCESS" };
        await expect(subscribe(consumer, subscription)).rejects.toMatchObject(gone);
        await expect(
          start(Watching, { args: [told], subscribeTo: [producer] }),
        ).rejects.toMatchObject({ cause: gone });
      },
      { seeds: 10 },
    );
  });

  it("G46: what is no consumer rejects", async () => {
    class Silent extends Process {}
    await simulate(
      async () => {
        await using producer = await start(probeProducer<number>().stage);
        await using silent = await start(Silent);
        for (const whom of [silent, producer])
          await expect(subscribe(whom as never, { to: producer })).rejects.toMatchObject({
            code: "SLUICE_NOT_A_CONSUMER",
            details: { target: whom.pid },
          });
      },
      { seeds: 3 },
    );
  });
});
