const newline = 0x0a;
const carriageReturn = 0x0d;

/** Limits of a {@link LineSplitter}. */
export interface LineSplitterOptions {
  /** What a line may have at most, its end not counted; default 1 MiB. */
  readonly maxLineBytes?: number;
}

/**
 * Chunks of bytes in, lines of text out, without `\n` or `\r\n`. Every line that comes in gives exactly one line, so
 * that line numbers can be counted: one that is too long is **cut** to `maxLineBytes` (at the border of a character) and
 * counted in `cutLines`. Bytes that are not UTF-8 become U+FFFD.
 *
 * It holds at most one unfinished line, copied out of its chunk. Each line is decoded by itself: parts of one decoded
 * chunk would be slices, and a single line that somebody keeps would keep the text of the whole chunk alive.
 */
export class LineSplitter {
  /** Lines cut so far. */
  cutLines = 0;
  readonly #maxLineBytes: number;
  #carry = Buffer.alloc(0);
  #carried = 0;

  constructor(options: LineSplitterOptions = {}) {
    this.#maxLineBytes = options.maxLineBytes ?? 1_048_576;
  }

  /** The lines that `chunk` completes. The chunk is not kept. */
  push(chunk: Uint8Array): string[] {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const lines: string[] = [];
    let start = 0;
    let end = bytes.indexOf(newline);
    if (end >= 0 && this.#carried > 0) {
      this.#keep(bytes, 0, end);
      lines.push(this.#takeCarry());
      start = end + 1;
      end = bytes.indexOf(newline, start);
    }
    while (end >= 0) {
      lines.push(this.#line(bytes, start, end));
      start = end + 1;
      end = bytes.indexOf(newline, start);
    }
    this.#keep(bytes, start, bytes.length);
    return lines;
  }

  /** The input has ended: the last line, if it had no end of its own. */
  end(): string[] {
    return this.#carried === 0 ? [] : [this.#takeCarry()];
  }

  #takeCarry(): string {
    const line = this.#line(this.#carry, 0, this.#carried);
    this.#carried = 0;
    return line;
  }

  /** Keeps a piece of an unfinished line, of a too long one no more than shows that it is. */
  #keep(bytes: Buffer, start: number, end: number): void {
    const length = Math.min(end - start, this.#maxLineBytes + 1 - this.#carried);
    const needed = this.#carried + length;
    if (needed > this.#carry.length) {
      const grown = Buffer.allocUnsafeSlow(
        Math.min(Math.max(needed, 2 * this.#carry.length, 256), this.#maxLineBytes + 1),
      );
      this.#carry.copy(grown, 0, 0, this.#carried);
      this.#carry = grown;
    }
    bytes.copy(this.#carry, this.#carried, start, start + length);
    this.#carried = needed;
  }

  #line(bytes: Buffer, start: number, end: number): string {
    if (end - start <= this.#maxLineBytes) {
      return bytes.toString(
        "utf8",
        start,
        bytes[end - 1] === carriageReturn && end > start ? end - 1 : end,
      );
    }
    this.cutLines += 1;
    let border = start + this.#maxLineBytes;
    while (border > start && isContinuation(bytes[border])) border -= 1;
    return bytes.toString("utf8", start, border);
  }
}

/** Is it inside a character of several bytes? */
function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
