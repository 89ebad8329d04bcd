import type { Simulation } from "sluice/testing";

/** Says once what is wrong: ends the run with that in its message. */
export function judge(simulation: Simulation): (what: string) => void {
  let wrong: string | undefined;
  return (what) => {
    if (wrong !== undefined) return;
    wrong = what;
    simulation.always(what, () => false);
  };
}
