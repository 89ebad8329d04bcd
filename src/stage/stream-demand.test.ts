import { describe, expect, it } from "vitest";
import { range } from "../../test/stage/probing.ts";
import { all, counter, take } from "../../test/stage/pulling.ts";
import { start, type Running } from "../process/index.ts";
import { probeProducer, simulate } from "../testing/index.ts";
import { demandMode, setDemandMode } from "./demand-mode.ts";
import { from } from "./from.ts";
import type { Producer } from "./producer.ts";
import { map } from "./shorthands.ts";
import { stream } from "./stream.ts";
import { subscribe } from "./subscribe.ts";

const held = (): Promise<Running<Producer<number>>> =>
  start(
    from(() => range(3)),
    { demand: "accumulate" },
  );

describe("the demand of what is read", () => {
  it("G98: is forwarded when all are subscribed to", async () => {
    await simulate(
      async () => {
        const read = await all(stream([await held(), await held()]));
        expect(read.toSorted((a, b) => a - b)).toEqual([0, 0, 1, 1, 2, 2]);
      },
      { seeds: 10 },
    );
  });

  it("G98: accumulate holds it, of those that are read or of the given producers", async () => {
    await simulate(
      async ({ seed, quiet }) => {
        const source = counter();
        await using endless = await start(source.stage);
        await using other = await start(source.stage);
        const given = seed % 2 === 0;
        const reader = stream<number>([endless, other], {
          demand: "accumulate",
          ...(given ? { producers: [endless] } : {}),
        })[Symbol.asyncIterator]();
        const pulled = reader.next();
        await quiet();
        expect([demandMode(endless), demandMode(other)]).toEqual([
          "accumulate",
          given ? "forward" : "accumulate",
        ]);
        expect(source.asks).toEqual(given ? [1_000] : []);
        setDemandMode(endless, "forward");
        expect((await pulled).value).toBe(0);
        await reader.return();
      },
      { seeds: 10 },
    );
  });

  it("G98: behind a producer-consumer is that of the producers that are named; with none, nobody is told", async () => {
    await simulate(
      async ({ quiet }) => {
        await using source = await held();
        await using mapped = await start(
          map((n: number) => n),
          { subscribeTo: [{ to: source, cancel: "temporary" }] },
        );
        const untold = stream(mapped, { producers: [] })[Symbol.asyncIterator]();
        const pulled = untold.next();
        await quiet();
        expect(demandMode(source)).toBe("accumulate");
        await untold.return();
        expect(await pulled).toEqual({ value: undefined, done: true });
        expect(await take(stream(mapped, { producers: [source] }), 3)).toEqual(range(3));
        await expect(all(stream(mapped, { demand: "accumulate" }))).rejects.toMatchObject({
          code: "SLUICE_INVALID_OPTION",
        });
      },
      { seeds: 10 },
    );
  });

  it("G98: of a producer that is subscribed to later is forwarded, too", async () => {
    await simulate(
      async ({ quiet }) => {
        await using first = await start(probeProducer<number>().stage);
        await using later = await held();
        const reader = stream<number>(first)[Symbol.asyncIterator]();
        const pulled = reader.next();
        await quiet();
        await subscribe(reader, { to: later });
        expect((await pulled).value).toBe(0);
        await reader.return();
      },
      { seeds: 5 },
    );
  });
});
