import { describe, expect, it } from "vitest";
import { quietly } from "../../test/stage/probing.ts";
import { Mortal, Witness } from "../../test/stage/witness.ts";
import { describeReason, type ExitReason } from "../support/internal.ts";
import { child, name, start, startSupervisor } from "../process/index.ts";
import { probeConsumer, probeProducer, simulate } from "../testing/index.ts";
import { Consumer } from "./consumer.ts";
import { Producer } from "./producer.ts";
import { consumer, producer } from "./shorthands.ts";
import type { CancelCause } from "./stage-callbacks.ts";
import type { SubscriptionTerms } from "./subscription.ts";
import { subscribe } from "./subscribe.ts";
import type { From, Subscription } from "./subscription.ts";
import { topology } from "./topology.ts";

describe("the end of a producer", () => {
  it("E20, G61: comes after every event that it sent before", async () => {
    await simulate(
      async () => {
        using _silent = quietly();
        const log: string[] = [];
        const source = await start(Mortal);
        const witness = await start(Witness, {
          args: [log],
          subscribeTo: [{ to: source, maxDemand: 3, minDemand: 2 }],
        });
        source.cast.emitAndThrow([1, 2, 3]);
        expect(await witness.exited).toEqual({ crash: new RangeError("mortal") });
        expect(log).toEqual(["1", "2", "3", "down crash: RangeError: mortal"]);
      },
      { seeds: 20 },
    );
  });

  const ends: {
    readonly cancel: NonNullable<Subscription<number>["cancel"]>;
    readonly reason: ExitReason;
    readonly survives: boolean;
  }[] = [
    { cancel: "permanent", reason: "normal", survives: false },
    { cancel: "permanent", reason: "shutdown", survives: false },
    { cancel: "permanent", reason: { crash: "why" }, survives: false },
    { cancel: "transient", reason: "normal", survives: true },
    { cancel: "transient", reason: "shutdown", survives: true },
    { cancel: "transient", reason: { shutdown: "why" }, survives: true },
    { cancel: "transient", reason: { crash: "why" }, survives: false },
    { cancel: "transient", reason: "killed", survives: false },
    { cancel: "temporary", reason: "normal", survives: true },
    { cancel: "temporary", reason: { crash: "why" }, survives: true },
  ];
  it.each(ends)(
    "S72–S80, G56, G62: $cancel and $reason: the consumer survives: $survives",
    async ({ cancel, reason, survives }) => {
      await simulate(
        async ({ quiet }) => {
          using _silent = quietly();
          const log: string[] = [];
          const source = await start(Mortal);
          const witness = await start(Witness, {
            args: [log],
            subscribeTo: [{ to: source, cancel }],
          });
          source.cast.emitAndEnd([7], reason);
          await quiet();
          expect(log).toEqual(["7", expect.stringMatching(/^down /)]);
          if (survives) {
            expect(topology(witness)).toMatchObject({ nodes: [{ pid: witness.pid }], edges: [] });
            await witness.stop();
          } else expect(await witness.exited).toEqual(reason);
        },
        { seeds: 5 },
      );
    },
  );
});

describe("the cancel of a subscription", () => {
  it("G55, G60, S61: by the consumer: both sides hear of it once, and its mode is applied", async () => {
    await simulate(
      async ({ seed, quiet }) => {
        const log: string[] = [];
        class Told extends Mortal {
          protected override handleCancel({ kind, reason }: CancelCause): void {
            log.push(`producer: ${kind} ${describeReason(reason)}`);
          }
        }
        class Leaving extends Consumer<number> {
          protected override handleEvents(_events: readonly number[], from: From): void {
            from.cancel(seed % 2 === 0 ? undefined : "shutdown");
          }
          protected override handleCancel({ kind, reason }: CancelCause): void {
            log.push(`consumer: ${kind} ${describeReason(reason)}`);
          }
        }
        const reason = seed % 2 === 0 ? "normal" : "shutdown";
        await using source = await start(Told);
        const leaving = await start(Leaving, { subscribeTo: [source] });
        source.cast.push([1]);
        expect(await leaving.exited).toBe(reason);
        await quiet();
        expect(log).toEqual([`producer: cancel ${reason}`, `consumer: cancel ${reason}`]);
      },
      { seeds: 20 },
    );
  });

  it("G55: of one that has ended, or was never told of, is nothing: neither side hears of it, and both go on", async () => {
    await simulate(
      async ({ quiet }) => {
        const log: string[] = [];
        const served: From[] = [];
        class Told extends Mortal {
          protected override handleSubscribe(
            _role: "producer" | "consumer",
            _terms: SubscriptionTerms,
            from: From,
          ): void {
            served.push(from);
          }
          protected override handleCancel({ kind, reason }: CancelCause): void {
            log.push(`producer: ${kind} ${describeReason(reason)}`);
          }
        }
        class Fussy extends Witness {
          protected override handleSubscribe(
            _role: "producer" | "consumer",
            { maxDemand }: SubscriptionTerms,
          ): void {
            if (maxDemand === 1) throw new RangeError("too small");
          }
        }
        await using source = await start(Told);
        await using fussy = await start(Fussy, { args: [log], subscribeTo: [source] });
        const ended = await subscribe(fussy, { to: source, cancel: "temporary" });
        for (let twice = 0; twice < 2; twice++) ended.cancel("shutdown");
        await quiet();
        ended.cancel();
        served[1]!.cancel();
        await quiet();
        expect(log.splice(0)).toEqual(["producer: cancel shutdown", "cancel shutdown"]);
        // It has forgotten this one when the producer confirms the end.
        const refused = subscribe(fussy, { to: source, maxDemand: 1 });
        await expect(refused).rejects.toThrow("too small");
        await quiet();
        source.cast.push([1]);
        await quiet();
        expect(log).toEqual(["producer: cancel normal", "1"]);
      },
      { seeds: 10 },
    );
  });

  it("by the producer, in a callback: is a message, so that no callback runs within another", async () => {
    await simulate(
      async ({ quiet }) => {
        const log: string[] = [];
        class Picky extends Producer<number> {
          #consumers: From[] = [];
          protected override handleSubscribe(
            _role: "producer" | "consumer",
            _terms: SubscriptionTerms,
            from: From,
          ): void {
            this.#consumers.push(from);
          }
          protected override handleDemand(): void {
            log.push("demand begins");
            for (const from of this.#consumers) from.cancel("shutdown");
            log.push("demand ends");
          }
          protected override handleCancel(): void {
            log.push("cancelled");
          }
        }
        await using source = await start(Picky);
        await using witness = await start(Witness, {
          args: [log],
          subscribeTo: [{ to: source, cancel: "temporary" }],
        });
        await quiet();
        expect(log).toEqual(["demand begins", "demand ends", "cancelled", "cancel shutdown"]);
        expect(topology(witness).edges).toEqual([]);
      },
      { seeds: 10 },
    );
  });

  it("G24: what handleCancel emits goes to the living, and demand follows it", async () => {
    await simulate(
      async ({ quiet }) => {
        class Farewell extends Producer<number> {
          protected override handleCancel(): void {
            this.emit([1]);
          }
        }
        const [gone, here] = [probeConsumer<number>(), probeConsumer<number>()];
        await using source = await start(Farewell);
        const first = await start(gone.stage, { subscribeTo: [source] });
        await using _second = await start(here.stage, {
          subscribeTo: [{ to: source, maxDemand: 1 }],
        });
        await quiet();
        await first.stop();
        await quiet();
        expect([gone.batches, here.batches]).toEqual([[], [[1]]]);
      },
      { seeds: 10 },
    );
  });

  it("may be handled asynchronously: what follows waits, and its failure ends the stage", async () => {
    await simulate(
      async ({ seed }) => {
        using _silent = quietly();
        const log: string[] = [];
        class Slow extends Witness {
          protected override async handleCancel(cause: CancelCause): Promise<void> {
            await Promise.resolve();
            await super.handleCancel(cause);
            if (seed % 2 === 0) throw new RangeError("cancel");
          }
        }
        const source = await start(Mortal);
        const slow = await start(Slow, { args: [log], subscribeTo: [source] });
        source.cast.emitAndEnd([], "normal");
        expect(await slow.exited).toEqual(
          seed % 2 === 0 ? { crash: new RangeError("cancel") } : "normal",
        );
        expect(log).toEqual(["down normal"]);
      },
      { seeds: 10 },
    );
  });
});

describe("the end of a consumer", () => {
  it("G64, G65, E23: loses what it had in hand and what waited for it, and nothing that the producer buffers", async () => {
    await simulate(
      async ({ quiet }) => {
        using _silent = quietly();
        const source = probeProducer<number>();
        const log: string[] = [];
        const failing = consumer<number>(() => {
          throw new RangeError("bad");
        });
        class Told extends source.stage {
          protected override handleCancel({ kind }: CancelCause): void {
            log.push(kind);
          }
        }
        await using running = await start(Told);
        const first = await start(failing, {
          subscribeTo: [{ to: running, maxDemand: 4, minDemand: 2 }],
        });
        source.emit([1, 2, 3, 4, 5, 6]);
        await first.exited;
        await quiet();
        expect(log).toEqual(["down"]);
        const seen = probeConsumer<number>();
        await using _second = await start(seen.stage, { subscribeTo: [running] });
        await quiet();
        expect(seen.batches).toEqual([[5, 6]]);
      },
      { seeds: 20 },
    );
  });

  it("and its restart: it subscribes and asks anew", async () => {
    await simulate(
      async ({ quiet }) => {
        using _silent = quietly();
        const source = probeProducer<number>();
        const probe = name<Producer<number>>("probe");
        const handled: number[] = [];
        const picky = consumer(([event = 0]: readonly number[]) => {
          if (event === 2) throw new RangeError("two");
          handled.push(event);
        });
        await using app = await startSupervisor({
          strategy: "one_for_one",
          children: {
            source: child(source.stage, { name: probe }),
            picky: child(picky, { subscribeTo: [{ to: probe, maxDemand: 1 }] }),
          },
        });
        source.emit([1, 2, 3, 4]);
        await quiet();
        expect(handled).toEqual([1, 3, 4]);
        expect(topology(app).edges).toHaveLength(1);
      },
      { seeds: 20 },
    );
  });
});

describe("protocol messages that come late", () => {
  it("G58: an ask on a subscription that has ended is nothing", async () => {
    await simulate(
      async ({ quiet }) => {
        const asks: number[] = [];
        const source = await start(producer<number>((demand) => void asks.push(demand)));
        const seen = probeConsumer<number>();
        const consumer = await start(seen.stage);
        const from = await subscribe(consumer, { to: source, maxDemand: 3, cancel: "temporary" });
        from.cancel();
        from.ask(5);
        await quiet();
        from.ask(5);
        from.cancel();
        await quiet();
        expect(asks).toEqual([3]);
        await consumer.stop();
        await source.stop();
      },
      { seeds: 20 },
    );
  });
});
