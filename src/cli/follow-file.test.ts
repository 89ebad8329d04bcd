import {
  appendFile,
  mkdir,
  mkdtemp,
  open,
  rename,
  rm,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FollowOptions, followFile } from "./follow-file.ts";
import { LineSplitter } from "./line-splitter.ts";

let folder: string;
let path: string;
let stopping: AbortController;
let followers: Follower[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-follow-"));
  path = join(folder, "app.log");
  stopping = new AbortController();
  followers = [];
});
afterEach(async () => {
  stopping.abort();
  await Promise.all(followers.map((follower) => follower.end()));
  await rm(folder, { recursive: true });
});

/** Time that stands still until the test moves it. */
class Poll {
  #ring: (() => void) | undefined;
  #signal: AbortSignal | undefined;

  readonly sleep = (_ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const settle = (act: () => void) => (): void => {
        this.#ring = undefined;
        act();
      };
      this.#ring = settle(resolve);
      this.#signal = signal;
      signal.addEventListener(
        "abort",
        settle(() => reject(signal.reason as Error)),
        { once: true },
      );
    });

  /** There was nothing to read; a watch may end the wait. */
  async idle(): Promise<void> {
    while (this.#ring === undefined) await turn();
  }

  /** There is a new file; nothing but time ends the wait for late writers to the old one. */
  async resting(): Promise<void> {
    while (this.#ring === undefined || this.#signal !== stopping.signal) await turn();
  }

  /** Time passes until `done` settles. */
  async until<T>(done: Promise<T>): Promise<T> {
    let settled = false;
    void done.finally(() => (settled = true));
    for (; !settled; await turn()) this.#ring?.();
    return done;
  }
}

class Follower {
  readonly poll = new Poll();
  readonly #chunks: AsyncGenerator<Uint8Array, void, void>;
  readonly #splitter = new LineSplitter();
  #pulled: Promise<IteratorResult<Uint8Array, void>> | undefined;

  constructor(options: Partial<FollowOptions> = {}) {
    this.#chunks = followFile(path, {
      signal: stopping.signal,
      sleep: this.poll.sleep,
      ...options,
    });
    followers.push(this);
  }

  async end(): Promise<void> {
    await this.#chunks.return();
  }

  /** Pulls, and resolves when there is nothing to read. */
  async idle(): Promise<void> {
    this.#pulled ??= this.#chunks.next();
    await this.poll.idle();
  }

  async pull(): Promise<IteratorResult<Uint8Array, void>> {
    const pulled = this.#pulled ?? this.#chunks.next();
    this.#pulled = undefined;
    return pulled;
  }

  /** The lines of as many pulls as bring at least `count`. */
  async lines(count: number): Promise<string[]> {
    const lines: string[] = [];
    while (lines.length < count) {
      const { done, value } = await this.pull();
      if (done === true) throw new Error(`ended after ${JSON.stringify(lines)}`);
      lines.push(...this.#splitter.push(value));
    }
    return lines;
  }
}

describe("followFile", () => {
  it("sends what is appended, not what was there, and sees it at once by its watch", async () => {
    await writeFile(path, "old\n");
    const follower = new Follower();
    await follower.idle();
    await appendFile(path, "a\nb\n");
    expect(await follower.lines(2)).toEqual(["a", "b"]);
    await follower.idle();
    await appendFile(path, "c\n");
    expect(await follower.lines(1)).toEqual(["c"]);
  });

  it("sends a file that comes later from its first byte", async () => {
    const follower = new Follower();
    await follower.idle();
    await writeFile(path, "first\n");
    expect(await follower.lines(1)).toEqual(["first"]);
  });

  it("looks again after the poll where a watch sees nothing: behind a link, in a folder that comes later", async () => {
    await mkdir(join(folder, "far"));
    await writeFile(join(folder, "far", "real.log"), "");
    await symlink(join(folder, "far", "real.log"), path);
    const linked = new Follower();
    await linked.idle();
    await appendFile(join(folder, "far", "real.log"), "a\n");
    expect(await linked.poll.until(linked.lines(1))).toEqual(["a"]);

    path = join(folder, "later", "app.log");
    const late = new Follower();
    await late.idle();
    await mkdir(join(folder, "later"));
    await writeFile(path, "b\n");
    expect(await late.poll.until(late.lines(1))).toEqual(["b"]);
  });

  it("reads the renamed file on while the new one is empty, and after it for late writers", async () => {
    await writeFile(path, "");
    const follower = new Follower();
    await follower.idle();
    await rename(path, `${path}.1`);
    await writeFile(path, "");
    await appendFile(`${path}.1`, "a\n");
    expect(await follower.poll.until(follower.lines(1))).toEqual(["a"]);
    await follower.idle();
    await appendFile(path, "c\n");
    await follower.poll.resting();
    await appendFile(`${path}.1`, "b\n");
    expect(await follower.poll.until(follower.lines(2))).toEqual(["b", "c"]);
  });

  it("puts a line end between two files, so that no line is made of both", async () => {
    await writeFile(path, "");
    const follower = new Follower();
    await follower.idle();
    await appendFile(path, "a\ncut off");
    expect(await follower.lines(1)).toEqual(["a"]);
    await rename(path, `${path}.1`);
    await writeFile(path, "whole\n");
    const lines = follower.lines(2);
    await follower.poll.resting();
    expect(await follower.poll.until(lines)).toEqual(["cut off", "whole"]);
  });

  it("goes on at the first byte after a truncation", async () => {
    await writeFile(path, "");
    const follower = new Follower();
    await follower.idle();
    await appendFile(path, "before\nhal");
    expect(await follower.lines(1)).toEqual(["before"]);
    await follower.idle();
    await truncate(path, 0);
    await appendFile(path, "after\n");
    expect(await follower.lines(2)).toEqual(["hal", "after"]);
  });

  it("loses no line, doubles none and keeps the order over many rotations under a busy writer", async () => {
    await writeFile(path, "");
    const follower = new Follower({ chunkBytes: 1_000 });
    await follower.idle();
    const total = 20_000;
    const lines: string[] = [];
    const reading = follower.poll.until(
      (async () => {
        while (lines.length < total) lines.push(...(await follower.lines(1)));
      })(),
    );
    let writer = await open(path, "a");
    for (let line = 0, rotations = 0; line < total; line += 100) {
      if (line === 0 || line % 2_000 > 0) {
        await writer.write(numbers(line, line + 100));
        continue;
      }
      await rename(path, `${path}.${++rotations}`);
      const next = await open(path, "a");
      await writer.write(numbers(line, line + 50));
      await writer.close();
      writer = next;
      await writer.write(numbers(line + 50, line + 100));
      // A second rotation before the first was seen is more than a follower can know of.
      while (lines.length < line + 100) await turn();
    }
    await writer.close();
    await reading;
    expect(lines.map(Number)).toEqual(Array.from({ length: total }, (_, line) => line));
  });

  it("reads only when pulled, and no more than a chunk", async () => {
    await writeFile(path, "");
    const follower = new Follower({ chunkBytes: 1_000 });
    await follower.idle();
    await appendFile(path, "x".repeat(2_500));
    const chunks = [await follower.pull(), await follower.pull(), await follower.pull()];
    expect(chunks.map(({ value }) => value?.length)).toEqual([1_000, 1_000, 500]);
  });

  it("ends without an error when the signal aborts, waiting or not", async () => {
    const follower = new Follower();
    await follower.idle();
    stopping.abort(new Error("stop"));
    expect(await follower.pull()).toEqual({ done: true, value: undefined });
    expect(await new Follower().pull()).toEqual({ done: true, value: undefined });
  });

  it("refuses what is no regular file", async () => {
    path = folder;
    await expect(new Follower().pull()).rejects.toMatchObject({ code: "SLUICE_INVALID_OPTION" });
  });
});

function numbers(from: number, to: number): string {
  return Array.from({ length: to - from }, (_, i) => `${from + i}\n`).join("");
}
