import { describe, expect, it } from "vitest";
import { quietly } from "../../test/stage/probing.ts";
import { Mortal, Witness } from "../../test/stage/witness.ts";
import { Process, name, start } from "../process/index.ts";
import { attach } from "../telemetry/index.ts";
import { probeConsumer, probeProducer, simulate } from "../testing/index.ts";
import { Producer } from "./producer.ts";
import type { CancelCause } from "./stage-callbacks.ts";
import type { SubscriptionTerms } from "./subscription.ts";
import { subscribe } from "./subscribe.ts";
import { topology } from "./topology.ts";

const mortal = name<Mortal>("mortal");

describe("a start with subscriptions", () => {
  class Silent extends Process {}

  it.each([
    ["permanent" as const, true],
    ["transient" as const, true],
    ["temporary" as const, false],
  ])("G13, S46–S49: nobody there, %s: the start fails: %s", async (cancel, fails) => {
    await simulate(
      async () => {
        const starting = start(probeConsumer<number>().stage, {
          subscribeTo: [{ to: mortal, cancel }],
        });
        if (!fails) {
          await using running = await starting;
          expect(topology(running).edges).toEqual([]);
          return;
        }
        await expect(starting).rejects.toMatchObject({
          code: "SLUICE_START_FAILED",
          cause: { code: "SLUICE_NO_PROCESS", details: { target: "the name mortal" } },
        });
      },
      { seeds: 3 },
    );
  });

  it("E10, G13: a bad entry fails the start, by its path", async () => {
    await simulate(
      async () => {
        await using source = await start(Mortal);
        await expect(
          start(probeConsumer<number>().stage, {
            subscribeTo: [source, { to: source, maxDemand: 0 }],
          }),
        ).rejects.toMatchObject({
          code: "SLUICE_START_FAILED",
          cause: {
            code: "SLUICE_INVALID_OPTION",
            details: { option: "subscribeTo[1].maxDemand", got: "0" },
          },
        });
      },
      { seeds: 3 },
    );
  });

  it("G12: subscribeTo that is no list fails the start", async () => {
    await simulate(
      async () => {
        const given = { subscribeTo: "everybody" } as never;
        await expect(start(probeConsumer<number>().stage, given)).rejects.toMatchObject({
          cause: {
            details: {
              option: "subscribeTo",
              got: '"everybody"',
              expected: "a list of producers or subscriptions",
            },
          },
        });
      },
      { seeds: 1 },
    );
  });

  it("to what is no producer fails", async () => {
    await simulate(
      async () => {
        await using silent = await start(Silent);
        await expect(
          start(probeConsumer<number>().stage, { subscribeTo: [silent as never] }),
        ).rejects.toMatchObject({
          cause: { code: "SLUICE_NOT_A_PRODUCER", details: { target: silent.pid } },
        });
      },
      { seeds: 1 },
    );
  });

  it("G53: may name a producer twice; each subscription has a window of its own", async () => {
    await simulate(
      async ({ quiet }) => {
        const source = probeProducer<number>();
        const seen = probeConsumer<number>();
        await using running = await start(source.stage);
        await using twice = await start(seen.stage, {
          subscribeTo: [
            { to: running, maxDemand: 1 },
            { to: running, maxDemand: 3, minDemand: 0 },
          ],
        });
        source.emit([1, 2, 3, 4]);
        await quiet();
        expect(seen.batches.flat().toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4]);
        expect(topology(twice).edges.map(({ maxDemand }) => maxDemand)).toEqual([1, 3]);
      },
      { seeds: 10 },
    );
  });
});

describe("handleSubscribe", () => {
  it("S59, S70, G20, G23: is told the other side's role and the terms, on both sides", async () => {
    await simulate(
      async ({ quiet }) => {
        const log: unknown[] = [];
        const told = (role: string, { maxDemand, minDemand }: SubscriptionTerms): void =>
          void log.push([role, maxDemand, minDemand]);
        class Host extends Producer<number> {
          protected override handleSubscribe(
            role: "producer" | "consumer",
            terms: SubscriptionTerms,
          ): void {
            told(role, terms);
          }
        }
        class Guest extends Witness {
          protected override handleSubscribe(
            role: "producer" | "consumer",
            terms: SubscriptionTerms,
          ): void {
            told(role, terms);
          }
        }
        await using host = await start(Host);
        await using _guest = await start(Guest, {
          args: [[]],
          subscribeTo: [{ to: host, maxDemand: 4 }],
        });
        await quiet();
        expect(log).toEqual([
          ["producer", 4, 2],
          ["consumer", 4, 2],
        ]);
      },
      { seeds: 10 },
    );
  });

  it("G22: manual: asks kept from the subscription on are counted, and nothing is in excess", async () => {
    await simulate(
      async ({ quiet }) => {
        const errors: string[] = [];
        using _log = attach("sluice.log", ({ message }) => errors.push(message));
        const source = probeProducer<number>();
        const seen = probeConsumer<number>();
        seen.ask(2);
        await using running = await start(source.stage);
        await using _consumer = await start(seen.stage, { subscribeTo: [running] });
        await quiet();
        seen.ask(3);
        await quiet();
        source.emit([1, 2, 3, 4, 5, 6]);
        await quiet();
        expect(source.asks).toEqual([2, 3]);
        expect(seen.batches).toEqual([[1, 2, 3, 4, 5]]);
        expect(errors).toEqual([]);
      },
      { seeds: 10 },
    );
  });

  it("G57: an ask of nothing is none; one of less, or of a part, is refused", async () => {
    await simulate(
      async ({ quiet }) => {
        const source = probeProducer<number>();
        const running = await start(source.stage);
        const manual = probeConsumer<number>();
        manual.ask(0);
        const consumer = await start(manual.stage, { subscribeTo: [running] });
        const from = await subscribe(consumer, { to: running });
        from.ask(0);
        await quiet();
        expect(source.asks).toEqual([]);
        for (const count of [-1, 0.5, NaN])
          expect(() => from.ask(count)).toThrow(
            expect.objectContaining({ code: "SLUICE_INVALID_OPTION" }),
          );
        await consumer.stop();
        await running.stop();
      },
      { seeds: 3 },
    );
  });

  it.each([
    ["a consumer", "sometimes", '"automatic", "manual" or nothing'],
    ["a producer", "manual", '"automatic" or nothing: the consumer says who asks'],
  ])("S60, S71, G21: %s that answers %s ends", async (who, answer, expected) => {
    await simulate(
      async () => {
        using _silent = quietly();
        class Host extends Producer<number> {
          protected override handleSubscribe(): "automatic" {
            return (who === "a producer" ? answer : "automatic") as never;
          }
        }
        class Guest extends Witness {
          protected override handleSubscribe(): "automatic" {
            return (who === "a consumer" ? answer : "automatic") as never;
          }
        }
        const host = await start(Host);
        const starting = start(Guest, { args: [[]], subscribeTo: [host] });
        const crash = {
          code: "SLUICE_INVALID_RETURN",
          details: { callback: "handleSubscribe", got: `"${answer}"`, expected },
        };
        if (who === "a consumer") await expect(starting).rejects.toMatchObject({ cause: crash });
        else {
          const guest = await starting;
          expect(await host.exited).toMatchObject({ crash });
          await guest.exited;
        }
        await host.stop();
      },
      { seeds: 5 },
    );
  });

  it("that throws leaves no subscription behind at the producer", async () => {
    await simulate(
      async ({ quiet }) => {
        const ended: string[] = [];
        class Host extends Producer<number> {
          protected override handleCancel({ kind }: CancelCause): void {
            ended.push(kind);
          }
        }
        let refuses = false;
        class Guest extends Witness {
          protected override handleSubscribe(): void {
            if (refuses) throw new RangeError("no");
          }
        }
        await using host = await start(Host);
        await using guest = await start(Guest, { args: [[]] });
        refuses = true;
        await expect(subscribe(guest, { to: host })).rejects.toThrow("no");
        await quiet();
        expect(ended).toEqual(["cancel"]);
        expect(topology(guest).edges).toEqual([]);
      },
      { seeds: 10 },
    );
  });
});
