import { inspect } from "node:util";
import { attach } from "sluice/telemetry";

/** Keeps the errors that tests cause on purpose out of the output: those that tell a secret, or go in circles. */
export function expectErrors(): Disposable {
  return attach("sluice.log", ({ level, message, details }) => {
    if (level !== "error" && level !== "warning") return;
    if (!/a secret|circular/.test(inspect(details))) console.error(message, details);
  });
}
