/** A broadcast as a log keeps it. */
export interface HistoryEntry {
  /** The name of the event. */
  readonly event: string;
  /** The payload as JSON text, as it was said: whatever the sender does to it later, this is the past. */
  readonly payload: string;
  /** Tells the node that said it which of its broadcasts this is; there when that node measures or waits. */
  readonly id?: string;
  /** Proves that a node of ours has said it, where nodes sign. */
  readonly proof?: string;
}

/** An entry with its place. */
export interface Placed {
  readonly entry: HistoryEntry;
  readonly offset: number;
  /** About as many bytes as it takes on the wire. */
  readonly bytes: number;
}

/** Bytes of an entry. */
export function entryBytes({ event, payload }: HistoryEntry): number {
  return Buffer.byteLength(event) + Buffer.byteLength(payload);
}

/** A log may be written by others, too: what is none of ours is not handed to clients. */
export function isEntry(value: unknown): value is HistoryEntry {
  if (typeof value !== "object" || value === null) return false;
  const { event, payload } = value as Partial<HistoryEntry>;
  return typeof event === "string" && typeof payload === "string" && payload.startsWith("{");
}
