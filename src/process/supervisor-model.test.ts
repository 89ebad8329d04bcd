import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { attach } from "../telemetry/index.ts";
import { simulate } from "../testing/index.ts";
import { Process, child, startSupervisor, type Restart, type Strategy } from "./index.ts";

/** What is done to a tree: something happens to the child at an index, or time passes. */
type Step =
  | readonly ["crash" | "end" | "terminate" | "restart", number]
  | readonly ["pass", number];

interface Tree {
  readonly strategy: Strategy;
  readonly maxRestarts: number;
  readonly restarts: readonly Restart[];
}

const seconds = 2;

/** OTP's supervisor as a pure function: which child is stopped and started in which order, and what runs at the end. */
class Model {
  readonly trace: string[] = [];
  readonly running: boolean[];
  readonly #tree: Tree;
  #nowMs = 0;
  #times: number[] = [];
  over = false;

  constructor(tree: Tree) {
    this.#tree = tree;
    this.running = tree.restarts.map(() => false);
    this.#start(tree.restarts.keys());
  }

  take([what, n]: Step): void {
    if (what === "pass") this.#nowMs += n;
    if (what === "pass" || this.over) return;
    const index = n % this.running.length;
    if (what === "restart") return this.#start([index]);
    if (!this.running[index]) return;
    if (what === "terminate") return this.#stop([index]);
    this.running[index] = false;
    const restart = this.#tree.restarts[index];
    if (restart === "permanent" || (restart === "transient" && what === "crash"))
      this.#again(index);
  }

  #again(index: number): void {
    const all = [...this.running.keys()];
    this.#times = [...this.#times, this.#nowMs].filter((ms) => ms >= this.#nowMs - seconds * 1_000);
    if (this.#times.length > this.#tree.maxRestarts) {
      this.over = true;
      return this.#stop(all);
    }
    const { strategy } = this.#tree;
    const group =
      strategy === "one_for_one" ? [index] : all.slice(strategy === "one_for_all" ? 0 : index);
    this.#stop(group);
    this.#start(group.filter((one) => this.#tree.restarts[one] !== "temporary"));
  }

  #stop(group: readonly number[]): void {
    for (const index of group.toReversed()) {
      if (this.running[index]) this.trace.push(`stop ${index}`);
      this.running[index] = false;
    }
  }

  #start(group: Iterable<number>): void {
    for (const index of group) {
      if (!this.running[index]) this.trace.push(`start ${index}`);
      this.running[index] = true;
    }
  }
}

class Recorded extends Process {
  readonly #index: number;
  readonly #trace: string[];
  constructor(index: number, trace: string[]) {
    super();
    this.#index = index;
    this.#trace = trace;
  }
  protected override init(): void {
    this.#trace.push(`start ${this.#index}`);
  }
  protected override terminate(reason: unknown): void {
    if (reason === "shutdown") this.#trace.push(`stop ${this.#index}`);
  }
  crash(): void {
    throw new Error("on purpose");
  }
  end(): void {
    this.self.stop("normal");
  }
}

/** The same with the supervisor itself. */
async function real(tree: Tree, steps: readonly Step[], seed: number): Promise<Model["trace"]> {
  const trace: string[] = [];
  const program = async (sim: {
    quiet: () => Promise<void>;
    advance: (ms: number) => Promise<void>;
  }) => {
    const app = await startSupervisor({
      strategy: tree.strategy,
      maxRestarts: tree.maxRestarts,
      maxSeconds: seconds,
      children: Object.fromEntries(
        tree.restarts.map((restart, index) => [
          `c${index}`,
          child(Recorded, { args: [index, trace], restart }),
        ]),
      ),
    });
    let over = false;
    const ended = app.exited.then(() => (over = true));
    for (const [what, n] of steps) {
      const id = `c${n % tree.restarts.length}`;
      if (what === "pass") await sim.advance(n);
      else if (over) break;
      else if (what === "restart") await app.call.restartChild(id);
      else if (what === "terminate") await app.call.terminateChild(id);
      else app.children[id]!.cast[what]();
      await sim.quiet();
    }
    if (!over) {
      const which = await app.call.whichChildren();
      trace.push(`runs ${which.map(({ pid }) => pid !== undefined).join()}`);
      await app.stop("normal");
    } else trace.push("over");
    await ended;
  };
  await simulate(program, { seeds: [seed] });
  return trace;
}

function expected(tree: Tree, steps: readonly Step[]): readonly string[] {
  const model = new Model(tree);
  for (const step of steps) model.take(step);
  if (model.over) return [...model.trace, "over"];
  const stops = [...model.running.keys()].filter((index) => model.running[index]).toReversed();
  // An owner's stop has its own reason: the children are told "shutdown".
  return [...model.trace, `runs ${model.running.join()}`, ...stops.map((index) => `stop ${index}`)];
}

const trees: fc.Arbitrary<Tree> = fc.record({
  strategy: fc.constantFrom<Strategy>("one_for_one", "one_for_all", "rest_for_one"),
  maxRestarts: fc.nat(4),
  restarts: fc.array(fc.constantFrom<Restart>("permanent", "transient", "temporary"), {
    minLength: 1,
    maxLength: 5,
  }),
});
const index = fc.nat(59);
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.tuple(fc.constant("crash" as const), index) },
    { weight: 2, arbitrary: fc.tuple(fc.constant("end" as const), index) },
    { weight: 1, arbitrary: fc.tuple(fc.constant("terminate" as const), index) },
    { weight: 1, arbitrary: fc.tuple(fc.constant("restart" as const), index) },
    {
      weight: 2,
      arbitrary: fc.tuple(
        fc.constant("pass" as const),
        fc.constantFrom(1, 999, 1_000, 2_000, 2_001),
      ),
    },
  ),
  { maxLength: 25 },
);

describe("a supervisor", () => {
  it("O19–O24, R23, R24: restarts what OTP's restarts, in its order, and gives up where it does", async () => {
    using _silent = attach("sluice.log", () => {});
    await fc.assert(
      fc.asyncProperty(trees, steps, fc.nat(), async (tree, done, seed) => {
        expect(await real(tree, done, seed)).toEqual(expected(tree, done));
      }),
      { numRuns: 500 },
    );
  });
});
