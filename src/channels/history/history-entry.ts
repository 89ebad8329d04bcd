import { isReservedEvent, reserved } from "../wire/payload.ts";

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

/** Has it the shape of an entry? */
export function isEntry(value: unknown): value is HistoryEntry {
  if (typeof value !== "object" || value === null) return false;
  const { event, payload } = value as Partial<HistoryEntry>;
  return typeof event === "string" && typeof payload === "string" && payload.startsWith("{");
}

/**
 * What somebody has written into a log, as one of our own nodes would have; nothing when it is no broadcast: its payload is
 * put into frames as it is, so it must be an object in JSON, without the key of the runtime, under no event of the protocol.
 */
export function saidBy(value: unknown): HistoryEntry | undefined {
  if (!isEntry(value) || isReservedEvent(value.event)) return undefined;
  const said = parsed(value.payload);
  if (said === undefined || Object.hasOwn(said, reserved)) return undefined;
  // Space behind it, or in an empty one, stands where the runtime writes.
  const isTight = value.payload === "{}" || (value.payload.endsWith("}") && !isEmpty(said));
  return isTight ? value : { ...value, payload: JSON.stringify(said) };
}

function parsed(json: string): object | undefined {
  try {
    return JSON.parse(json) as object;
  } catch {
    return undefined;
  }
}

function isEmpty(said: object): boolean {
  for (const _ in said) return false;
  return true;
}
