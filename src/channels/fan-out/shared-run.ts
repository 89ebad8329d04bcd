import type { Outgoing } from "../socket/outbox.ts";
import type { Frames } from "../wire/frame.ts";

/**
 * Joins the frames of one write into one buffer. Sockets that joined the same topics take the same run in the same turn:
 * the buffer joined for the first is handed to the others as well. Nobody changes it.
 */
export class SharedRun {
  #frames: readonly Outgoing[] = [];
  #joined: Buffer | undefined;

  /** The frames as one buffer; the same buffer as the last time if they are the same frames. */
  join(frames: readonly Outgoing[]): Frames {
    if (frames.length === 1) return frames[0]!.bytes;
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

function isSameRun(run: readonly Outgoing[], other: readonly Outgoing[]): boolean {
  return run.length === other.length && run.every((frame, at) => frame === other[at]);
}

/** The bytes of frames, one behind the other. */
export function concat(frames: readonly Outgoing[]): Buffer {
  let bytes = 0;
  for (const frame of frames) bytes += frame.bytes.length;
  const joined = Buffer.allocUnsafeSlow(bytes);
  let at = 0;
  for (const frame of frames) {
    const { bytes } = frame;
    if (typeof bytes === "string") joined.write(bytes, at, "latin1");
    else joined.set(bytes, at);
    at += bytes.length;
  }
  return joined;
}
