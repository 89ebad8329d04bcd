// What replicas tell each other: plain JSON, each message within the size that one adapter can carry.
import { Row, type Slice } from "./row.ts";

/** A message of a replica to all others, or to one. */
export type ReplicaMessage =
  /** I am here; I know of these clocks so far, my own among them. */
  | {
      readonly kind: "beat";
      readonly from: string;
      readonly node: string | undefined;
      readonly clocks: readonly (readonly [replica: string, clock: number])[];
    }
  /** This I did since my last beat. */
  | { readonly kind: "delta"; readonly from: string; readonly slice: Slice }
  /** Tell me what you know of a replica beyond `since`; or go on with its pages after `at`, all of them as of one clock. */
  | {
      readonly kind: "ask";
      readonly from: string;
      readonly ref: number;
      readonly replica: string;
      readonly since: number;
      readonly page: { readonly at: number; readonly as: number } | undefined;
    }
  /** The answer; there is more until a slice reaches `as`. */
  | {
      readonly kind: "give";
      readonly from: string;
      readonly ref: number;
      readonly as: number;
      readonly slice: Slice;
    }
  /** I end for good. */
  | { readonly kind: "bye"; readonly from: string };

/** Its form on the wire. */
export function writeMessage(message: ReplicaMessage): object {
  switch (message.kind) {
    case "beat": {
      const { kind, from, node = null, clocks } = message;
      return { kind, from, node, clocks };
    }
    case "ask": {
      const { page } = message;
      return { ...message, page: page === undefined ? null : [page.at, page.as] };
    }
    case "delta":
    case "give":
      return { ...message, slice: writeSlice(message.slice) };
    case "bye":
      return message;
  }
}

function writeSlice({ replica, from, to, rows, gone }: Slice): readonly unknown[] {
  const written = rows.map(({ clock, topic, key, meta, prev }) =>
    prev === undefined ? [clock, topic, key, meta] : [clock, topic, key, meta, prev],
  );
  return [replica, from, to, written, gone ?? null];
}

/**
 * Reads what came from another node, whatever it is. Total: a message, or why it is none. What a newer version adds is
 * left out, and kinds that are not known are told apart from damage, so that versions can live side by side.
 */
export function readMessage(
  raw: unknown,
): ReplicaMessage | { readonly kind: "ignored"; readonly why: string } {
  try {
    return read(record(raw));
  } catch (error) {
    if (error instanceof Malformed) return { kind: "ignored", why: error.message };
    // A value whose very look throws.
    return { kind: "ignored", why: "unreadable" };
  }
}

class Malformed extends Error {}

type Fields = { readonly [field: string]: unknown };

function read({
  kind,
  from: sender,
  ...rest
}: Fields): ReplicaMessage | { kind: "ignored"; why: string } {
  const from = text("from", sender);
  switch (kind) {
    case "beat": {
      const node = isNone(rest["node"]) ? undefined : text("node", rest["node"]);
      const clocks = list("clocks", rest["clocks"]).map((pair): [string, number] => {
        const [replica, clock] = list("clocks", pair);
        return [text("clocks", replica), whole("clocks", clock)];
      });
      return { kind, from, node, clocks };
    }
    case "delta": {
      const slice = readSlice(rest["slice"]);
      if (slice.gone === undefined || slice.replica !== from) throw new Malformed("slice");
      return { kind, from, slice };
    }
    case "ask": {
      const [at, as] = isNone(rest["page"]) ? [] : list("page", rest["page"]);
      const page = isNone(rest["page"])
        ? undefined
        : { at: whole("page", at), as: whole("page", as) };
      const replica = text("replica", rest["replica"]);
      return {
        kind,
        from,
        ref: whole("ref", rest["ref"]),
        replica,
        since: whole("since", rest["since"]),
        page,
      };
    }
    case "give":
      return {
        kind,
        from,
        ref: whole("ref", rest["ref"]),
        as: whole("as", rest["as"]),
        slice: readSlice(rest["slice"]),
      };
    case "bye":
      return { kind, from };
    default:
      return { kind: "ignored", why: "unknown kind" };
  }
}

function readSlice(raw: unknown): Slice {
  const [id, first, last, lines, removals] = list("slice", raw);
  const replica = text("replica", id);
  const from = whole("slice", first);
  const to = whole("slice", last);
  if (to < from) throw new Malformed("slice");
  const rows = list("rows", lines).map((line) => {
    const [clock, topic, key, meta, prev] = list("row", line);
    const tick = whole("row", clock);
    if (tick <= from || tick > to) throw new Malformed("row");
    if (typeof meta !== "object" || meta === null || Array.isArray(meta))
      throw new Malformed("meta");
    const before = isNone(prev) ? undefined : whole("row", prev);
    return new Row(replica, tick, text("topic", topic), text("key", key), meta, before);
  });
  const gone = isNone(removals)
    ? undefined
    : list("gone", removals).map((pair): [number, number] => {
        const [tick, row] = list("gone", pair);
        return [whole("gone", tick), whole("gone", row)];
      });
  for (const [tick, row] of gone ?? [])
    if (tick <= from || tick > to || row < 1 || row >= tick) throw new Malformed("gone");
  return { replica, from, to, rows, gone };
}

const isNone = (value: unknown): boolean => value === null || value === undefined;

function record(value: unknown): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  throw new Malformed("no object");
}

function list(what: string, value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value as unknown[];
  throw new Malformed(what);
}

function text(what: string, value: unknown): string {
  if (typeof value === "string") return value;
  throw new Malformed(what);
}

function whole(what: string, value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new Malformed(what);
}
