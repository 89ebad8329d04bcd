import type { Script } from "./schedule.ts";

/** Tries a script; resolves with what was really used of it when the run fails in the same way, else with nothing. */
export type Attempt = (script: Script) => Promise<Script | undefined>;

/** Leaves out as many items of a list as it can, by halves, then one by one. */
async function leaveOut<T>(
  items: readonly T[],
  attempt: (items: readonly T[]) => Promise<readonly T[] | undefined>,
): Promise<readonly T[]> {
  let kept = items;
  for (let size = kept.length; size >= 1; size = Math.floor(size / 2)) {
    let at = 0;
    while (at < kept.length) {
      const fewer = await attempt([...kept.slice(0, at), ...kept.slice(at + size)]);
      if (fewer !== undefined && fewer.length < kept.length) kept = fewer;
      else at += size;
    }
  }
  return kept;
}

/**
 * The smallest script it can find that still fails: first as few faults as possible, then as few choices, and faults
 * once more, since some may have been needed only for an order of things. `attempt` may decline when enough was tried.
 */
export async function shrink(script: Script, attempt: Attempt): Promise<Script> {
  let best = script;
  const better = async (candidate: Script): Promise<Script | undefined> => {
    const used = await attempt(candidate);
    if (used !== undefined) best = used;
    return used;
  };
  const fewerFaults = (): Promise<unknown> =>
    leaveOut(best.faults, async (faults) => (await better({ ...best, faults }))?.faults);
  const fewerPicks = (): Promise<unknown> =>
    leaveOut(best.picks, async (picks) => (await better({ ...best, picks }))?.picks);
  await better({ faults: best.faults, picks: [] });
  await fewerFaults();
  await fewerPicks();
  if (best.faults.length > 0) await fewerFaults();
  return best;
}
