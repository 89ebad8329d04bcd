// What clients are told, in the shapes that Phoenix's Presence reads.
import type { PresenceMeta } from "./options.ts";
import type { Row } from "./row.ts";

/** Rows by key. */
export type ByKey = ReadonlyMap<string, readonly Row[]>;
/** Metas by key, as users see them. */
export type Metas = ReadonlyMap<string, readonly PresenceMeta<object>[]>;
/** What `fetch` has said, by key. */
export type Extras = ReadonlyMap<string, unknown>;

/** A meta with its refs. */
export function metaOf(row: Row): PresenceMeta<object> {
  const { meta, ref, prevRef } = row;
  return prevRef === undefined
    ? { ...meta, phx_ref: ref }
    : { ...meta, phx_ref: ref, phx_ref_prev: prevRef };
}

/** All of them by key. */
export function metasOf(rows: ByKey): Metas {
  return new Map([...rows].map(([key, of]) => [key, of.map(metaOf)]));
}

/** Groups rows by key, in their order. */
export function byKey(rows: Iterable<Row>): Map<string, Row[]> {
  const grouped = new Map<string, Row[]>();
  for (const row of rows) {
    const group = grouped.get(row.key);
    if (group === undefined) grouped.set(row.key, [row]);
    else group.push(row);
  }
  return grouped;
}

/** One presence with what is known of its key beyond its metas. */
export function presentOf(
  key: string,
  metas: readonly PresenceMeta<object>[],
  extras: Extras | undefined,
): object & { readonly metas: readonly PresenceMeta<object>[] } {
  const extra = extras?.get(key);
  return typeof extra === "object" && extra !== null ? { ...extra, metas } : { metas };
}

/** Keys are data: as own properties even where an object has others of that name. */
export function presences(rows: ByKey, extras: Extras | undefined): object {
  return Object.fromEntries(
    [...rows].map(([key, of]) => [key, presentOf(key, of.map(metaOf), extras)]),
  );
}

/** What joined and what left. */
export interface Diff {
  readonly joins: ByKey;
  readonly leaves: ByKey;
}

/** Cuts a diff, between keys: the join and the leave of an update stay together. */
export function pieces({ joins, leaves }: Diff, maxBytes: number): Diff[] {
  const cut: Diff[] = [];
  let bytes = Infinity;
  let piece: { joins: Map<string, readonly Row[]>; leaves: Map<string, readonly Row[]> };
  for (const key of new Set([...leaves.keys(), ...joins.keys()])) {
    const [come, gone] = [joins.get(key), leaves.get(key)];
    const more = size(come) + size(gone);
    if (bytes + more > maxBytes) {
      cut.push((piece = { joins: new Map(), leaves: new Map() }));
      bytes = 0;
    }
    bytes += more;
    if (come !== undefined) piece!.joins.set(key, come);
    if (gone !== undefined) piece!.leaves.set(key, gone);
  }
  return cut;
}

function size(rows: readonly Row[] | undefined): number {
  let bytes = 0;
  for (const row of rows ?? []) bytes += row.bytes;
  return bytes;
}
