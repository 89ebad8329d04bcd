import type { ExitReason } from "../support/internal.ts";
import type { Cell } from "./cell.ts";
import type { Message } from "./message.ts";
import { State } from "./state.ts";

/**
 * Tells `owner` once, through its mailbox, when the process is gone: after everything that the process sent it. Nobody
 * there: at once, with `"noproc"`. Disposed, it is told nothing; what it has been told before stays in its mailbox.
 */
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
