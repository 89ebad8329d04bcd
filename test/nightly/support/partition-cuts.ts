import type { Line } from "./network.ts";

/** One way for the line between a node and the broker to be bad. */
export interface Cut {
  readonly row: "R50" | "R51";
  readonly what: string;
  /** The node is taken away by it, once, and is back after it, once. */
  readonly takesAway: boolean;
  /** A client of the node goes meanwhile, and comes anew. */
  readonly client: "stays" | "comes anew";
  /** Resolves when it is to be healed. */
  make(line: Line): Promise<void>;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function swallows(
  row: Cut["row"],
  what: string,
  direction: Parameters<Line["swallow"]>[0],
  client: Cut["client"] = "stays",
): Cut {
  return {
    row,
    what,
    client,
    takesAway: true,
    make(line) {
      line.swallow(direction);
      return pause(8_000);
    },
  };
}

/** All of them. */
export const cuts: readonly Cut[] = [
  swallows("R50", "swallows all", "both"),
  {
    row: "R50",
    what: "is unplugged",
    takesAway: true,
    client: "stays",
    make(line) {
      line.unplug();
      return pause(8_000);
    },
  },
  swallows("R51", "swallows what the node says", "from"),
  swallows("R51", "swallows what the node is told", "to"),
  swallows("R50", "swallows all, while a client comes anew,", "both", "comes anew"),
  {
    row: "R50",
    what: "comes and goes",
    takesAway: false,
    client: "stays",
    async make(line) {
      for (let time = 0; time < 15; time++) {
        line.swallow((["both", "from", "to"] as const)[time % 3]!);
        await pause(200);
        line.heal();
        await pause(200);
      }
    },
  },
  {
    row: "R50",
    what: "is narrow, and loses what is more,",
    takesAway: false,
    client: "stays",
    make(line) {
      line.narrow("1mbit", 4_096);
      return pause(6_000);
    },
  },
];
