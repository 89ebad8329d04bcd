import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { attach } from "../telemetry/index.ts";
import { simulate } from "../testing/index.ts";
import {
  Process,
  child,
  names,
  startSupervisor,
  supervisor,
  type ChildSpec,
  type Restart,
  type Strategy,
  type SupervisorOptions,
} from "./index.ts";

/** A process, or a supervisor and what is below it. */
interface Leaf {
  readonly restart: Restart;
}
interface Tree {
  readonly restart: Restart;
  readonly strategy: Strategy;
  readonly maxRestarts: number;
  readonly children: readonly (Tree | Leaf)[];
}
/** What happens to the leaf of that number. */
type Step = readonly [what: "crash" | "end", leaf: number];

/** OTP's rules for a tree, as a pure function: who is stopped and started, in which order. */
class Node {
  readonly trace: string[];
  readonly restart: Restart;
  readonly parent: Node | undefined;
  readonly tree: Tree | undefined;
  readonly children: Node[];
  readonly id: string;
  running = false;
  restarts = 0;

  constructor(tree: Tree | Leaf, parent: Node | undefined, id: string, trace: string[]) {
    this.tree = "children" in tree ? tree : undefined;
    this.restart = tree.restart;
    this.parent = parent;
    this.id = id;
    this.trace = trace;
    this.children = (this.tree?.children ?? []).map(
      (below, index) => new Node(below, this, `${id}.${index}`, trace),
    );
  }

  get leaves(): Node[] {
    return this.tree === undefined ? [this] : this.children.flatMap(({ leaves }) => leaves);
  }

  start(): void {
    if (this.running) return;
    this.running = true;
    this.restarts = 0;
    if (this.tree === undefined) this.trace.push(`start ${this.id}`);
    for (const below of this.children) below.start();
  }

  stop(): void {
    if (!this.running) return;
    for (const below of this.children.toReversed()) below.stop();
    this.running = false;
    if (this.tree === undefined) this.trace.push(`stop ${this.id}`);
  }

  /** It has ended by itself. */
  ended(crashed: boolean): void {
    this.running = false;
    if (this.restart === "permanent" || (this.restart === "transient" && crashed))
      this.parent?.again(this);
  }

  again(child: Node): void {
    const { strategy, maxRestarts } = this.tree!;
    if (++this.restarts > maxRestarts) {
      for (const below of this.children.toReversed()) below.stop();
      return this.ended(false);
    }
    const first = strategy === "one_for_all" ? 0 : this.children.indexOf(child);
    const group = strategy === "one_for_one" ? [child] : this.children.slice(first);
    for (const one of group.toReversed()) one.stop();
    for (const one of group) if (one.restart !== "temporary") one.start();
  }
}

const leafNames = names<Recorded>("leaf");

class Recorded extends Process {
  readonly #id: string;
  readonly #trace: string[];
  constructor(id: string, trace: string[]) {
    super();
    this.#id = id;
    this.#trace = trace;
  }
  protected override init(): void {
    this.#trace.push(`start ${this.#id}`);
  }
  protected override terminate(reason: unknown): void {
    if (reason === "shutdown") this.#trace.push(`stop ${this.#id}`);
  }
  crash(): void {
    throw new Error("on purpose");
  }
  end(): void {
    this.self.stop("normal");
  }
}

function options(tree: Tree, id: string, trace: string[]): SupervisorOptions<{}> {
  const children = tree.children.map((below, index): [string, ChildSpec<object>] => {
    const at = `${id}.${index}`;
    const { restart } = below;
    if ("children" in below)
      return [`c${index}`, supervisor(options(below, at, trace), { restart })];
    return [`c${index}`, child(Recorded, { args: [at, trace], restart, name: leafNames(at) })];
  });
  const { strategy, maxRestarts } = tree;
  return { strategy, maxRestarts, maxSeconds: 1_000, children: Object.fromEntries(children) };
}

const restart = fc.constantFrom<Restart[]>("permanent", "permanent", "transient", "temporary");
const { tree } = fc.letrec<{ tree: Tree; node: Tree | Leaf }>((tie) => ({
  node: fc.oneof(
    { depthSize: "small", withCrossShrink: true, maxDepth: 3 },
    { weight: 2, arbitrary: fc.record({ restart }) },
    { weight: 1, arbitrary: tie("tree") },
  ),
  tree: fc.record({
    restart,
    strategy: fc.constantFrom<Strategy>("one_for_one", "one_for_all", "rest_for_one"),
    maxRestarts: fc.nat(3),
    children: fc.array(tie("node"), { minLength: 1, maxLength: 4 }),
  }),
}));
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.tuple(fc.constantFrom("crash" as const, "crash" as const, "end" as const), fc.nat(50)),
  { minLength: 3, maxLength: 20, size: "+1" },
);

describe("a tree of supervisors", () => {
  it("R23, R24, O19, O20, O21, O22: whoever crashes or ends, OTP's processes are stopped and started, in its order, up to the top", async () => {
    using _silent = attach("sluice.log", () => {});
    let nested = 0;
    let over = 0;
    await fc.assert(
      fc.asyncProperty(tree, steps, fc.nat(), async (given, list, seed) => {
        const expected: string[] = [];
        const root = new Node({ ...given, restart: "temporary" }, undefined, "root", expected);
        const { leaves } = root;
        const trace: string[] = [];
        await simulate(
          async ({ quiet }) => {
            const app = await startSupervisor(options(given, "root", trace));
            root.start();
            for (const [what, number] of list) {
              const leaf = leaves[number % Math.max(1, leaves.length)];
              if (leaf === undefined || !root.running) break;
              if (leaf.running) leaf.ended(what === "crash");
              leafNames(leaf.id).cast[what]();
              await quiet();
              expect(trace).toEqual(expected);
              const running = leaves.filter((one) => one.running).map(({ id }) => id);
              expect([...leafNames.all().keys()].toSorted()).toEqual(running.toSorted());
            }
            if (root.running) await app.stop();
            else expect(await app.exited).toMatchObject({ shutdown: {} });
          },
          { seeds: [seed] },
        );
        if (given.children.some((below) => "children" in below)) nested++;
        if (!root.running) over++;
      }),
      { numRuns: 300 },
    );
    // Trees too small to go wrong would prove nothing.
    expect(nested).toBeGreaterThan(100);
    expect(over).toBeGreaterThan(20);
  });
});
