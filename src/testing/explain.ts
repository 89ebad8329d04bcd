import { SluiceError } from "../support/internal.ts";
import { replayOf, type Script } from "./schedule.ts";
import { shrink } from "./shrink.ts";
import type { Failure } from "./simulation-run.ts";

const defaultMaxShrinks = 200;
/** Somebody waits for a test that has failed. */
const shrinkMs = 2_000;
/** Lines of the trace that the message shows. */
const shownLines = 40;
/** The real one: the globals are virtual during a run. */
const realNow = performance.now.bind(performance);

/** What kind of failure it is, whatever the numbers and values in it. */
function likeness({ invariant }: Failure): string {
  const [line = ""] = invariant.split("\n");
  return without(without(line, "[", "]"), "{", "}")
    .replaceAll(/"[^"]*"|'[^']*'/g, "…")
    .replaceAll(/-?\d+(\.\d+)?/g, "#");
}

/** The line without what stands from the first opening sign to the last closing one. */
function without(line: string, opening: string, closing: string): string {
  const from = line.indexOf(opening);
  const to = line.lastIndexOf(closing);
  return from < 0 || to < from ? line : `${line.slice(0, from)}…${line.slice(to + 1)}`;
}

/** Makes a failure smaller by running it again with less, and tells what is left of it. */
export async function explain(
  seed: number,
  first: Failure,
  rerun: (script: Script) => Promise<Failure | undefined>,
  maxShrinks: number = defaultMaxShrinks,
): Promise<SluiceError<"SLUICE_SIMULATION_FAILED">> {
  let failure = first;
  let runs = 0;
  const until = realNow() + shrinkMs;
  const attempt = async (script: Script): Promise<Script | undefined> => {
    if (runs >= maxShrinks || realNow() > until) return undefined;
    runs++;
    const again = await rerun(script);
    if (again === undefined || likeness(again) !== likeness(first)) return undefined;
    failure = again;
    return again.script;
  };
  const repeats = maxShrinks === 0 || (await attempt(first.script)) !== undefined;
  if (repeats) await shrink(first.script, attempt);
  return told(seed, first, failure, runs, repeats);
}

function told(
  seed: number,
  first: Failure,
  failure: Failure,
  runs: number,
  repeats: boolean,
): SluiceError<"SLUICE_SIMULATION_FAILED"> {
  const { invariant, trace, cause, script } = failure;
  const replay = replayOf(seed, script);
  const shown = trace.slice(-shownLines);
  const message = [
    `seed ${seed} breaks: ${invariant}`,
    ...(repeats
      ? [`replay it with { seeds: ["${replay}"] }, as it first came with { seeds: [${seed}] }`]
      : [
          `replay it with { seeds: [${seed}] }`,
          "it did NOT fail again: something in the program is not of the simulation, such as what one run leaves to the next",
        ]),
    `${size(failure)}${runs > 1 ? `, made smaller in ${runs} runs from ${size(first)}` : ""}`,
    shown.length < failure.steps ? `the last steps:` : "what happened:",
    ...shown.map((line) => `  ${line}`),
  ].join("\n");
  return new SluiceError(
    "SLUICE_SIMULATION_FAILED",
    message,
    { seed, invariant, trace, replay },
    { cause },
  );
}

function size({ steps, script: { faults, picks } }: Failure): string {
  return `${steps} steps, ${faults.length} faults, ${picks.length} out of turn`;
}
