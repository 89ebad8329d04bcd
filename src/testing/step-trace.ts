import { Kind, type Cell } from "../process/internal.ts";
import { StageKind } from "../stage/internal.ts";

const names = new Map(
  Object.entries({ ...Kind, ...StageKind }).map(([name, kind]): [number, string] => [kind, name]),
);

/** A message between stages. */
interface Between {
  readonly tag: number;
  readonly count?: number;
  readonly events?: readonly unknown[];
}

/** Of which subscription, and how many. */
function amount({ tag, count, events }: Between): string {
  if (count !== undefined) return `${tag} (${count})`;
  return events === undefined ? String(tag) : `${tag} (${events.length})`;
}

/** Steps kept for people; the digest covers all. */
const kept = 200;

/** What a simulation did, step by step: which process handled which kind of message when. */
export class StepTrace {
  readonly lines: string[] = [];
  steps = 0;
  /** FNV-1a over all steps: two runs with one digest did the same. */
  digest = 0x811c9dc5;

  /** A process is about to take its next step. */
  add(cell: Cell, nowMs: number): void {
    const { head } = cell;
    const kind = head === undefined ? "turn" : (names.get(head.kind) ?? String(head.kind));
    const name = head?.kind === Kind.user ? ` ${(head as { name?: string }).name}` : "";
    const detail = head !== undefined && "tag" in head ? ` ${amount(head as Between)}` : "";
    const line = `${nowMs.toFixed(3)} ${cell.pid} ${kind}${name}${detail}`;
    this.steps++;
    for (let index = 0; index < line.length; index++) {
      this.digest = Math.imul(this.digest ^ line.charCodeAt(index), 0x01000193) >>> 0;
    }
    this.lines.push(line);
    if (this.lines.length > 2 * kept) this.lines.splice(0, kept);
  }

  /** The last steps. */
  get last(): readonly string[] {
    return this.lines.slice(-kept);
  }
}
