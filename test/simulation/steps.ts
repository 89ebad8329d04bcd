import { Process, SluiceError } from "sluice";

/** What a simulation fails with. */
export async function failure(
  simulated: Promise<unknown>,
): Promise<SluiceError<"SLUICE_SIMULATION_FAILED">> {
  const error: unknown = await simulated.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!SluiceError.is(error, "SLUICE_SIMULATION_FAILED")) throw error;
  return error;
}

/** Writes down who it is at each step. */
export class Steps extends Process {
  readonly #log: string[];
  readonly #who: string;
  constructor(who: string, log: string[]) {
    super();
    this.#who = who;
    this.#log = log;
  }
  step(): void {
    this.#log.push(this.#who);
  }
}
