import { currentSystem } from "../runtime/internal.ts";
import { child, name, sleep, type Name } from "../process/index.ts";
import { from, type Producer } from "../stage/index.ts";
import { sink } from "../delivery/index.ts";
import { web } from "./gateway.ts";
import type { PipeOptions } from "./options.ts";
import type { Payload } from "./payload.ts";
import type { PipeVariant } from "./pipe.ts";
import type { Tally } from "./tally.ts";
import { readSystem, sample, type SystemPayload, type SystemReadings } from "./system-metrics.ts";

/** A sample of this machine so often. */
const samplePeriodMs = 250;
/** One of the fifty takes so long at most. */
const longestWorkMs = 1_000;

async function* samples(tally: Tally, signal: AbortSignal): AsyncGenerator<SystemPayload> {
  let before: SystemReadings | undefined;
  for (;;) {
    const now = await readSystem(currentSystem().runtime.now());
    tally.received++;
    yield sample(now, before);
    before = now;
    await sleep(samplePeriodMs, signal);
  }
}

const machine: Name<Producer<SystemPayload>> = name("machine");

/** The demo: the machine's own figures, and work of a second or less for each of the fifty that a button pushes. */
export function demo({ topic, event }: PipeOptions): PipeVariant {
  const show = sink(web, (payload: SystemPayload) => ({ topic, event, payload }));
  return {
    reads: false,
    work: (payload: Payload) =>
      typeof payload["push"] === "number"
        ? sleep(currentSystem().runtime.random() * longestWorkMs)
        : undefined,
    children: (tally) => ({
      machine: child(
        from(({ signal }) => samples(tally, signal)),
        { name: machine },
      ),
      show: child(show, {
        subscribeTo: [{ to: machine, maxDemand: 1, minDemand: 0, cancel: "temporary" }],
      }),
    }),
  };
}
