/**
 * Joins the frames of one write into one buffer. Sockets that joined the same topics take the same run in the same turn:
 * the buffer joined for the first is handed to the others as well. Nobody changes it.
 */
export class SharedRun {
  #frames: readonly Buffer[] = [];
  #joined: Buffer | undefined;

  /** The frames as one buffer; the same buffer as the last time if they are the same frames. */
  join(frames: readonly Buffer[]): Buffer {
    if (frames.length === 1) return frames[0]!;
    if (this.#joined === undefined || !isSameRun(frames, this.#frames)) {
      this.#joined = concat(frames);
      this.#frames = frames;
    }
    return this.#joined;
  }

  /** Lets the last run go, at the end of the turn. */
  clear(): void {
    this.#frames = [];
    this.#joined = undefined;
  }
}

function isSameRun(run: readonly Buffer[], other: readonly Buffer[]): boolean {
  return run.length === other.length && run.every((frame, at) => frame === other[at]);
}

function concat(frames: readonly Buffer[]): Buffer {
  let bytes = 0;
  for (const frame of frames) bytes += frame.length;
  const joined = Buffer.allocUnsafeSlow(bytes);
  let at = 0;
  for (const frame of frames) {
    joined.set(frame, at);
    at += frame.length;
  }
  return joined;
}
