import type { Addressable, ExitReason } from "../support/internal.ts";
import { State, type Cell } from "./cell.ts";
import type { Message } from "./message.ts";

/**
 * Tells `owner` once, through its mailbox, when the process at `target` is gone: after everything that the target sent
 * it. Nobody there: at once, with `"noproc"`. Disposed, no down follows (OTP's demonitor with flush).
 */
export function monitor(
  owner: Cell,
  target: Addressable,
  down: (reason: ExitReason) => Message,
): Disposable {
  const watched = target["~resolve"]() as Cell | undefined;
  return watch(owner, watched, down);
}

/** The same for a process at hand. */
export function watch(
  owner: Cell,
  watched: Cell | undefined,
  down: (reason: ExitReason) => Message,
): Disposable {
  if (watched === undefined || watched.state === State.dead) {
    owner.send(down("noproc"));
    return { [Symbol.dispose](): void {} };
  }
  const tellers = (watched.extras.onDead ??= new Set());
  const owned = (owner.extras.watching ??= new Set());
  const tell = (reason: ExitReason): void => {
    owned.delete(unwatch);
    owner.send(down(reason));
  };
  const unwatch = (): void => {
    tellers.delete(tell);
    owned.delete(unwatch);
  };
  tellers.add(tell);
  owned.add(unwatch);
  return { [Symbol.dispose]: unwatch };
}
