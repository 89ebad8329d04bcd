import { invalidOption } from "../support/internal.ts";

/** Entries as JSON texts, and the bytes of all, with what stands between them. @throws SLUICE_INVALID_OPTION */
export function textsOf(entries: readonly unknown[]): { texts: string[]; bytes: number } {
  let bytes = 0;
  const texts = Array.from(entries, (entry) => {
    const text = textOf(entry);
    bytes += Buffer.byteLength(text) + 1;
    return text;
  });
  return { texts, bytes };
}

function textOf(entry: unknown): string {
  try {
    const text = JSON.stringify(entry) as string | undefined;
    if (text !== undefined) return text;
  } catch {
    // Refused below.
  }
  throw invalidOption("entries", typeof entry, "what JSON can carry");
}
