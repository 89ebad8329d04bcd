import { describe, expect, it } from "vitest";
import { start } from "../process/index.ts";
import { attach } from "../telemetry/index.ts";
import { probeProducer, simulate } from "../testing/index.ts";
import { Consumer } from "./consumer.ts";

describe("Consumer", () => {
  it("S81, G18: throws away what it returns, tells so, and goes on", async () => {
    await simulate(
      async ({ quiet }) => {
        const errors: string[] = [];
        using _log = attach("sluice.log", ({ message }) => errors.push(message));
        let handled = 0;
        class Talkative extends Consumer<number> {
          protected override handleEvents(events: readonly number[]): void {
            handled += events.length;
            return events as unknown as undefined;
          }
        }
        const source = probeProducer<number>();
        await using producer = await start(source.stage);
        await using talkative = await start(Talkative, { subscribeTo: [producer] });
        source.emit([1, 2]);
        source.emit([3]);
        await quiet();
        expect(handled).toBe(3);
        expect(errors).toEqual([
          `${talkative.pid} is a consumer and returned 2 events: they are thrown away`,
          `${talkative.pid} is a consumer and returned 1 events: they are thrown away`,
        ]);
      },
      { seeds: 5 },
    );
  });
});
