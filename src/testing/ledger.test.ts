import { describe, expect, it } from "vitest";
import { attach } from "../telemetry/index.ts";
import { processes } from "../process/internal.ts";
import { currentSystem } from "../runtime/index.ts";
import { child, name, startSupervisor } from "../process/index.ts";
import { consumer, from, type Producer } from "../stage/index.ts";
import { StageKind } from "../stage/internal.ts";
import { failure } from "../../test/simulation/steps.ts";
import { simulate, type Simulation } from "./simulate.ts";

const numbers = name<Producer<number>>("numbers");

interface OnWire {
  readonly kind: number;
  readonly events: readonly unknown[];
}

/** Ten numbers to a consumer; `change`: what befalls the nth message of events on its way. */
function flow(change: (message: OnWire, nth: number) => OnWire) {
  return async ({ advance }: Simulation): Promise<void> => {
    using _silent = attach("sluice.log", () => {});
    const table = currentSystem().get(processes);
    const { wire } = table;
    let nth = 0;
    table.wire = <M extends object>(message: M): M => {
      const seen = wire!(message) as unknown as OnWire;
      return (seen.kind === StageKind.events ? change(seen, ++nth) : seen) as unknown as M;
    };
    await using _app = await startSupervisor({
      strategy: "rest_for_one",
      children: {
        numbers: child(
          from(() => [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
          { name: numbers, restart: "transient" },
        ),
        add: child(
          consumer(() => {}),
          { subscribeTo: [{ to: numbers, maxDemand: 2, cancel: "temporary" }] },
        ),
      },
    });
    await advance(1_000);
  };
}

describe("the ledger of a simulation", () => {
  it("balances while nothing is lost", async () => {
    const report = await simulate(
      flow((message) => message),
      { seeds: 10 },
    );
    expect(report.events).toBe(100);
  });

  it("says when an event is lost between two stages", async () => {
    const lossy = flow((message, nth) =>
      nth === 3 ? { ...message, events: message.events.slice(1) } : message,
    );
    const { details } = await failure(simulate(lossy, { seeds: 1 }));
    expect(details.invariant).toMatch(/^add#\d+ is idle and has handled 9 of 10 events$/);
  });
});
