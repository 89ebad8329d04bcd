import { describe, expect, it } from "vitest";
import { Process, child, name, startSupervisor } from "../process/index.ts";
import { attach } from "../telemetry/index.ts";
import { failure } from "../../test/simulation/steps.ts";
import { simulate, type SimulateOptions, type Simulation } from "./simulate.ts";

class Counter extends Process {
  #count = 0;
  add(): void {
    this.#count++;
  }
  set(count: number): void {
    this.#count = count;
  }
  count(): number {
    return this.#count;
  }
}
const counter = name<Counter>("counter");

/** Asks, thinks, and writes: what came between is overwritten. */
class Hasty extends Process {
  async add(): Promise<void> {
    const count = await counter.call.count();
    counter.cast.set(count + 1);
  }
}

/** A count in memory, which a crash loses. */
function counting(wanted: number) {
  return async ({ advance, calm }: Simulation): Promise<void> => {
    using _silent = attach("sluice.log", () => {});
    await using _app = await startSupervisor({
      strategy: "one_for_one",
      maxRestarts: 1_000,
      children: { counter: child(Counter, { name: counter }) },
    });
    for (let n = 0; n < wanted; n++) {
      counter.cast.add();
      await advance(60);
    }
    calm();
    const count = await counter.call.count();
    if (count !== wanted) throw new Error(`the count is ${count}, not ${wanted}`);
  };
}

const lost = counting(20);
const faults = { crash: 0.3, slow: { probability: 0.2, maxMs: 50 }, clockJumpMs: 60_000 };
const options = (seeds: SimulateOptions["seeds"]): SimulateOptions => ({ seeds, faults });

describe("a failure", () => {
  it("R17: is made smaller, and still fails: one crash, nobody out of turn", async () => {
    const sizes: { readonly before: number; readonly after: number }[] = [];
    for (const seed of [1, 2, 3, 4, 5, 6]) {
      const raw = await failure(simulate(lost, { ...options([seed]), maxShrinks: 0 }));
      const small = await failure(simulate(lost, options([seed])));
      sizes.push({ before: raw.details.replay.length, after: small.details.replay.length });
      expect(small.details.invariant).toMatch(/^Error: the count is \d+, not 20$/);
      // One fault, no choice.
      expect(small.details.replay).toMatch(new RegExp(`^${seed}/c\\d+@counter/$`));
      expect(small.message).toMatch(/\d+ steps, 1 faults, 0 out of turn, made smaller in \d+ runs/);
    }
    const sum = (of: "before" | "after"): number => sizes.reduce((all, size) => all + size[of], 0);
    expect(sum("after")).toBeLessThan(sum("before") / 4);
  });

  it("is replayed by its text exactly, faults included that the options do not speak of", async () => {
    const { details } = await failure(simulate(lost, options(20)));
    const again = await failure(simulate(lost, { seeds: [details.replay], faults }));
    expect(again.details).toEqual(details);
  });

  it("keeps the choices that it takes", async () => {
    const race = async ({ quiet }: Simulation): Promise<void> => {
      const log: string[] = [];
      class Writer extends Process {
        write(who: string): void {
          log.push(who);
        }
      }
      await using app = await startSupervisor({
        strategy: "one_for_one",
        children: { a: child(Writer), b: child(Writer), c: child(Writer) },
      });
      const { a, b, c } = app.children;
      for (let n = 0; n < 10; n++) for (const one of [a, b, c]) one.cast.write(String(one));
      await quiet();
      // Two of the third before the second of the first.
      const third = log.findIndex(
        (_, at) => log.slice(0, at).filter((x) => x === log[2]).length === 2,
      );
      if (log[1] === log[2] && third > 0) throw new Error("out of order");
    };
    const raw = await failure(simulate(race, { seeds: 100, maxShrinks: 0 }));
    const small = await failure(simulate(race, { seeds: 100 }));
    const picks = (replay: string): number => replay.split("/")[2]!.split(",").length;
    expect(picks(raw.details.replay)).toBeGreaterThan(8);
    expect(picks(small.details.replay)).toBeLessThanOrEqual(2);
    expect(small.message).toMatch(/\(number [23] of 3 in line\)/);
    const again = await failure(simulate(race, { seeds: [small.details.replay] }));
    expect(again.details).toEqual(small.details);
  });

  it("is told as it came with maxShrinks 0, and within as many runs as that says", async () => {
    let runs = 0;
    const counted = async (simulation: Simulation): Promise<void> => {
      runs++;
      await lost(simulation);
    };
    const raw = await failure(simulate(counted, { ...options([2]), maxShrinks: 0 }));
    expect([runs, raw.message.includes("made smaller")]).toEqual([1, false]);
    runs = 0;
    await failure(simulate(counted, { ...options([2]), maxShrinks: 3 }));
    expect(runs).toBe(4);
  });

  it("is not traded for another one", async () => {
    const two = async (simulation: Simulation): Promise<void> => {
      await lost(simulation);
      throw new RangeError("whatever the faults");
    };
    const { details } = await failure(simulate(two, options([1])));
    expect(details.invariant).toMatch(/the count is/);
  });

  it("that does not come again says so", async () => {
    let runs = 0;
    const program = (): void => {
      if (runs++ === 0) throw new Error("only once");
    };
    const { message } = await failure(simulate(program, { seeds: [9] }));
    expect(message).toContain("it did NOT fail again");
    expect(message).toContain("replay it with { seeds: [9] }\n");
  });

  it("tells who sent what to whom, what went wrong and when", async () => {
    const program = async ({ advance }: Simulation): Promise<void> => {
      using _silent = attach("sluice.log", () => {});
      await using app = await startSupervisor({
        strategy: "one_for_one",
        children: { counter: child(Counter, { name: counter }), hasty: child(Hasty) },
      });
      await advance(5);
      app.children.hasty.cast.add();
      await advance(10);
      counter.cast.set(7);
      await advance(10);
      throw new Error("enough");
    };
    const { details } = await failure(
      simulate(program, {
        seeds: ["1/s1~2.5@counter,j2~-60@counter,c3@counter/"],
        faults,
        maxShrinks: 0,
      }),
    );
    expect(details.trace.slice(4, 14)).toEqual([
      "5.000 hasty#3 cast add()",
      "5.000 counter#2 call count() from hasty#3",
      "5.000 counter#2 IS SLOW: 2.5 ms before it",
      "7.500 counter#2 goes on, then call count() from hasty#3",
      "7.500 counter#2 cast set(1)",
      "7.500 counter#2 THE WALL CLOCK jumps -60 ms before it",
      "7.500 hasty#3 goes on",
      "15.000 counter#2 cast set(7)",
      "15.000 counter#2 CRASHES instead",
      "15.000 counter#2 ends: crash: Error: a simulated crash",
    ]);
  });
});

describe("seeds", () => {
  it.each(["", "x", "1", "1/", "1/z3@a/", "1/c@a/", "1//3", "1//3.1/4"])(
    "that are no replay are refused: %j",
    async (text) => {
      await expect(simulate(() => {}, { seeds: [text] })).rejects.toMatchObject({
        code: "SLUICE_INVALID_OPTION",
        details: { option: "seeds" },
      });
    },
  );
});
