/**
 * The layers of `src/`, lowest first: each names the layers right below it, and may import those and
 * whatever these stand on. Everything that is said of layers elsewhere is made from this table.
 */
export const layers: { readonly [L in Layer]: readonly Layer[] } = {
  support: [],
  runtime: ["support"],
  telemetry: ["runtime"],
  process: ["telemetry"],
  stage: ["process"],
  store: ["process"],
  pipeline: ["stage", "store"],
  pubsub: ["process"],
  presence: ["pubsub"],
  channels: ["presence", "store", "client"],
  delivery: ["pipeline", "channels"],
  client: [],
  threads: ["stage"],
  adapters: ["pipeline", "pubsub"],
  dashboard: ["channels"],
  testing: ["delivery", "client", "threads", "adapters", "dashboard"],
  cli: ["delivery", "client", "threads", "adapters", "dashboard"],
};

/** A folder of `src/`. */
export type Layer =
  | "support"
  | "runtime"
  | "telemetry"
  | "process"
  | "stage"
  | "store"
  | "pipeline"
  | "pubsub"
  | "presence"
  | "channels"
  | "delivery"
  | "client"
  | "threads"
  | "adapters"
  | "dashboard"
  | "testing"
  | "cli";

/** The layers that run in a browser too: nothing of Node may be imported in them. */
export const browserSafe: readonly Layer[] = [
  "support",
  "runtime",
  "telemetry",
  "process",
  "stage",
  "pubsub",
  "client",
];

/** The highest layer that `src/index.ts`, the root of the package, may show. */
export const rootLayer: Layer = "stage";

/** The layers that stand below `layer`: those that it may import. */
export function below(layer: Layer): Layer[] {
  const found = layers[layer].flatMap((next: Layer) => [next, ...below(next)]);
  return (Object.keys(layers) as Layer[]).filter((name) => found.includes(name));
}

/** The table as a Mermaid graph of the layers that there are; ARCHITECTURE.md shows it. */
export function diagram(present: readonly Layer[]): string {
  const nearest = (layer: Layer): Layer[] =>
    layers[layer].flatMap((next: Layer) => (present.includes(next) ? [next] : nearest(next)));
  const edges = present.flatMap((layer) => {
    const next = new Set(nearest(layer));
    const implied = [...next].flatMap(below);
    return [...next]
      .filter((name) => !implied.includes(name))
      .map((name) => `  ${layer} --> ${name}`);
  });
  return ["graph TD", ...edges].join("\n");
}
