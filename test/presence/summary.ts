/** What runs came to, to be added up. */
export interface Summary {
  readonly seeds: number;
  readonly traces: number;
  readonly acts: number;
  readonly carried: number;
  readonly present: number;
  readonly mostBeats: number;
  readonly mostStopMs: number;
  readonly mostKillMs: number;
}

/** Of several parts: sums, and the most of each. */
export function together(parts: readonly Summary[]): Summary {
  return parts.reduce((all, part) => ({
    seeds: all.seeds + part.seeds,
    traces: all.traces + part.traces,
    acts: all.acts + part.acts,
    carried: all.carried + part.carried,
    present: all.present + part.present,
    mostBeats: Math.max(all.mostBeats, part.mostBeats),
    mostStopMs: Math.max(all.mostStopMs, part.mostStopMs),
    mostKillMs: Math.max(all.mostKillMs, part.mostKillMs),
  }));
}

/** The same for people. */
export function inWords(all: Summary): string {
  const n = (count: number): string => count.toLocaleString("en");
  return `${n(all.seeds)} seeds, ${n(all.traces)} distinct traces, ${n(all.acts)} acts, ${n(all.carried)} messages, ${n(all.present)} presences in the end; converged within ${all.mostBeats} beats, gone ${n(all.mostStopMs)} ms after a stop and ${n(all.mostKillMs)} ms after a kill at most; diverged 0`;
}
