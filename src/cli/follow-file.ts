import { constants } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { invalidOption } from "../support/internal.ts";
import { FileChange, type Sleep } from "./file-change.ts";

/** How to follow a file. */
export interface FollowOptions {
  /** Ends the following, without an error. */
  readonly signal: AbortSignal;
  /** Waits; rejects when its signal aborts. */
  readonly sleep: Sleep;
  /** The most that one step reads; default 64 KiB. */
  readonly chunkBytes?: number;
  /** How long a change may stay unseen where the file system tells of none; default 500. */
  readonly pollMs?: number;
}

const lineEnd = Uint8Array.of(0x0a);

/**
 * Follows a file as `tail -n 0 -F` does and yields what is appended, until `signal` aborts.
 *
 * - What the file holds at the start is **not** sent; a file that comes later is sent from its first byte.
 * - It reads only when pulled, at most `chunkBytes` a step: who does not pull holds nothing up but itself.
 * - Rotation (rename and create): the old file is read on for as long as the new one is empty, then once more to its end
 *   after a rest of `pollMs`, for writers that are late to switch; then the new one from its first byte. No line is lost,
 *   unless the file is rotated twice between two looks.
 * - Truncation (copytruncate): reading goes on at the first byte. What was cut off unread is lost, and so is what a writer
 *   adds when it has filled the file beyond the old length before the next look: no reader can see that.
 * - Where a file ends in mid-line and another follows, a line end is put between.
 *
 * @throws SLUICE_INVALID_OPTION when the path leads to something that is no regular file; the file system's own error
 *   when the file may not be read at the start
 */
export async function* followFile(
  path: string,
  options: FollowOptions,
): AsyncGenerator<Uint8Array, void, void> {
  const { signal, sleep, chunkBytes = 65_536, pollMs = 500 } = options;
  const buffer = Buffer.allocUnsafeSlow(chunkBytes);
  const change = new FileChange(path, sleep, signal);
  let file: FileHandle | undefined;
  try {
    file = await openFile(path, ["ENOENT", "ENOTDIR"]);
    let position = file === undefined ? 0 : (await file.stat()).size;
    let midLine = false;
    let rested = false;
    while (!signal.aborted) {
      const count =
        file === undefined ? 0 : (await file.read(buffer, 0, chunkBytes, position)).bytesRead;
      if (count > 0) {
        position += count;
        midLine = buffer[count - 1] !== lineEnd[0];
        yield new Uint8Array(buffer.subarray(0, count));
        continue;
      }
      const truncated = file !== undefined && (await file.stat()).size < position;
      const replaced = !truncated && (await isReplaced(path, file));
      if (replaced && file !== undefined && !rested) {
        rested = true;
        await change.rest(pollMs);
      } else if (truncated || replaced) {
        rested = false;
        position = 0;
        if (replaced) {
          await file?.close();
          file = undefined;
          file = await openFile(path);
        }
        if (midLine) yield lineEnd;
        midLine = false;
      } else {
        await change.next(pollMs);
      }
    }
  } finally {
    change.close();
    await file?.close();
  }
}

/** The path leads to another file than the open one, and there is something in it; or none is open, and there is one now. */
async function isReplaced(path: string, file: FileHandle | undefined): Promise<boolean> {
  const found = await unlessAbsent(stat(path, { bigint: true }));
  if (found === undefined) return false;
  if (file === undefined) return true;
  const own = await file.stat({ bigint: true });
  return found.size > 0n && (found.ino !== own.ino || found.dev !== own.dev);
}

/**
 * Refuses a path that cannot be followed; none there yet is fine.
 * @throws as `followFile`
 */
export async function checkFile(path: string): Promise<void> {
  const file = await openFile(path, ["ENOENT", "ENOTDIR"]);
  await file?.close();
}

async function openFile(path: string, absent?: readonly string[]): Promise<FileHandle | undefined> {
  // Without O_NONBLOCK, opening a pipe that nobody writes to would never return.
  const file = await unlessAbsent(open(path, constants.O_RDONLY | constants.O_NONBLOCK), absent);
  if (file === undefined || (await file.stat()).isFile()) return file;
  await file.close();
  throw invalidOption("--file", path, "a regular file; pipe anything else into standard input");
}

/** After a rotation the new file may be there before this process may read it: then it counts as absent too. */
const absentForNow: readonly string[] = ["ENOENT", "ENOTDIR", "EACCES"];

async function unlessAbsent<T>(
  found: Promise<T>,
  absent: readonly string[] = absentForNow,
): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (absent.includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}
