/** A one-line fault: `line` of `file`, which stands there once, becomes `fault`. */
export interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly line: string;
  readonly fault: string;
}

/** Faults of the engine that the simulation has to find. */
export const mutants: readonly Mutant[] = [
  {
    name: "an ask sent twice",
    file: "src/stage/intake.ts",
    line: "    this.again(maxDemand - left);",
    fault: "    for (const _ of [1, 2]) this.again(maxDemand - left);",
  },
  {
    name: "a lost down",
    file: "src/process/monitor.ts",
    line: "    owner.send(down(reason));\n  };",
    fault: "    void down(reason);\n  };",
  },
  {
    name: "a stale ref",
    file: "src/stage/outlet.ts",
    line: "    this.dispatcher.cancel(consumption);",
    fault: "    void this.dispatcher;",
  },
  {
    name: "an off-by-one window",
    file: "src/stage/demand-dispatcher.ts",
    line: "      const size = Math.min(entry.demand, count - start);",
    fault: "      const size = Math.min(entry.demand + 1, count - start);",
  },
  {
    name: "credit not given back",
    file: "src/stage/intake.ts",
    line: "    this.again(maxDemand - left);",
    fault: "    void maxDemand;",
  },
];
