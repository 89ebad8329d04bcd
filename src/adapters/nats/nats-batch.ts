/** What stands in one message: entries that were appended together, or, without any, a life that begins. */
export interface StoredBatch {
  readonly life: string;
  /** The offset of its first entry. */
  readonly first: number;
  /** The bytes of all entries of this life before. */
  readonly before: number;
  /** The bytes of these. */
  readonly bytes: number;
  readonly entries: readonly unknown[];
}

/** A batch as a message. */
export function encodeBatch(
  { life, first, before, bytes }: Omit<StoredBatch, "entries">,
  texts: readonly string[],
): string {
  return `["${life}",${first},${before},${bytes},[${texts.join(",")}]]`;
}

/** The batch of a message. */
export function decodeBatch(data: Uint8Array): StoredBatch {
  const [life, first, before, bytes, entries] = JSON.parse(Buffer.from(data).toString()) as [
    string,
    number,
    number,
    number,
    unknown[],
  ];
  return { life, first, before, bytes, entries };
}
