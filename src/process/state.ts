/**
 * Where a process is in its life. `aborting` is asked to stop before it was up, `ending` after it; from `aborting` on it
 * takes no message.
 */
export const State = { starting: 0, running: 1, aborting: 2, ending: 3, dead: 4 } as const;
