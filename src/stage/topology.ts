import type { Addressable } from "../support/internal.ts";
import { State, cellAt, restartsOf, type Cell, type Figures } from "../process/internal.ts";

/** One process of a tree. */
export interface TopologyNode {
  /** Which process. */
  readonly pid: string;
  /** Its id below its supervisor, or its name. */
  readonly label: string;
  /** The pid of its parent, in this tree. */
  readonly parent: string | undefined;
  /** What it is. */
  readonly kind: "supervisor" | "producer" | "producer_consumer" | "consumer" | "process";
  /** What waits for it in its mailbox, user messages only. */
  readonly mailbox: number;
  /** Work that it has running beside its mailbox (`self.task`). */
  readonly tasks: number;
  /** Callbacks of children of its that were killed, and still run. */
  readonly zombies: number;
  /** How often its supervisor has started it again. */
  readonly restarts: number;
  /** How much is where in a stage, as far as its kind knows; none of other processes. */
  readonly figures: Figures;
}

/** One subscription. */
export interface TopologyEdge {
  /** The pid of the producer. */
  readonly from: string;
  /** The pid of the consumer. */
  readonly to: string;
  /** Most events in flight. */
  readonly maxDemand: number;
  /** Asked for and not handled yet. */
  readonly pending: number;
  /** Nothing of it is handled, nothing is asked for. */
  readonly paused: boolean;
}

/** What runs below a supervisor, and who subscribed to whom. */
export interface Topology {
  /** The processes, parents first. A ConsumerSupervisor stands for its children, which come and go. */
  readonly nodes: readonly TopologyNode[];
  /** The subscriptions. */
  readonly edges: readonly TopologyEdge[];
  /** The same as a Mermaid flowchart. */
  readonly mermaid: string;
}

const noFigures: Figures = {};

function visit(
  cell: Cell,
  parent: string | undefined,
  nodes: TopologyNode[],
  edges: TopologyEdge[],
): void {
  const { pid, engine } = cell;
  const inspected = engine?.inspect?.();
  const perEvent = engine?.role === "supervisor" && inspected !== undefined;
  nodes.push({
    pid,
    label: cell.plan.label,
    parent,
    kind: perEvent ? "consumer" : kindOf(engine?.role),
    mailbox: cell.waiting,
    tasks: cell.more?.own?.tasks ?? 0,
    zombies: cell.more?.zombies ?? 0,
    restarts: restartsOf(cell),
    figures: inspected?.figures ?? noFigures,
  });
  for (const { producer, maxDemand, pending, paused } of inspected?.upstream ?? [])
    edges.push({ from: (producer as Cell).pid, to: pid, maxDemand, pending, paused });
  if (perEvent || cell.children === undefined) return;
  for (const child of cell.children) visit(child, pid, nodes, edges);
}

function kindOf(role: string | undefined): TopologyNode["kind"] {
  return role !== undefined && Object.hasOwn(shapes, role)
    ? (role as TopologyNode["kind"])
    : "process";
}

const shapes = {
  supervisor: ["{{", "}}"],
  producer: ["([", "])"],
  producer_consumer: ["[", "]"],
  consumer: ["[/", "/]"],
  process: ["(", ")"],
} as const;

function drawn({ nodes, edges }: Omit<Topology, "mermaid">): string {
  const ids = new Map(nodes.map(({ pid }, index) => [pid, `n${index}`]));
  const lines = nodes.map(({ pid, label, kind }) => {
    const [open, close] = shapes[kind];
    return `  ${ids.get(pid)}${open}"${label.replaceAll('"', "#quot;")}"${close}`;
  });
  for (const { pid, parent } of nodes)
    if (parent !== undefined) lines.push(`  ${ids.get(parent)} -.- ${ids.get(pid)}`);
  for (const { from, to, maxDemand } of edges)
    if (ids.has(from)) lines.push(`  ${ids.get(from)} -->|${maxDemand}| ${ids.get(to)}`);
  return ["flowchart LR", ...lines].join("\n");
}

/** Reads a running tree, without waiting for any of its processes. Nobody there: an empty one. */
export function topology(tree: Addressable): Topology {
  const nodes: TopologyNode[] = [];
  const edges: TopologyEdge[] = [];
  const root = cellAt(tree);
  if (root !== undefined && root.state !== State.dead) visit(root, undefined, nodes, edges);
  return { nodes, edges, mermaid: drawn({ nodes, edges }) };
}
