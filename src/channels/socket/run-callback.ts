import { isThenable, type Cell } from "../../process/internal.ts";

/**
 * Runs a user's callback. What follows on it runs in a turn of the same process, whether it gave a value or a promise;
 * a promise holds the mailbox, also one that follows. Whoever is handed the result of this function returns it.
 */
export function runCallback<T>(
  cell: Cell,
  work: () => T | PromiseLike<T>,
  follow: (value: T) => unknown,
  failed: (error: unknown) => unknown,
): unknown {
  let result: T | PromiseLike<T>;
  try {
    result = work();
  } catch (error) {
    return failed(error);
  }
  return isThenable(result) ? whenSettled(cell, result, follow, failed) : follow(result);
}

/** The same for a promise that a callback has given. */
export function whenSettled<T>(
  cell: Cell,
  result: PromiseLike<T>,
  follow: (value: T) => unknown,
  failed: (error: unknown) => unknown,
): void {
  cell.hold(
    result.then(
      (value) => () => follow(value),
      (error: unknown) => () => failed(error),
    ),
    (next) => (next as () => unknown)(),
  );
}

/** For what fails where nothing is refused: its process crashes. */
export function crash(error: unknown): never {
  throw error;
}
