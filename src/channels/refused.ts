import { SluiceError, describe } from "../support/internal.ts";

/**
 * Thrown to refuse a connection, a join or an event; `reason` is what the client is told, as the response of an error
 * reply (a connection is refused with 403 and told nothing). `instanceof` holds across copies of the package.
 *
 * ```ts
 * import { Refused } from "sluice/channels";
 *
 * function join(params: { readonly token: string }): { readonly assigns: object } {
 *   if (params.token !== "a secret") throw new Refused({ reason: "unauthorized" });
 *   return { assigns: {} };
 * }
 * ```
 */
export class Refused extends Error {
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && "~refused" in value;
  }

  /** What the client is told; a plain object. */
  readonly reason: object;
  /** The runtime's own. */
  readonly "~refused": true = true;

  constructor(reason: object) {
    super(`refused: ${describe(reason)}`);
    this.name = "Refused";
    this.reason = reason;
  }
}

// What a client is told when presence says no; why, and where, is nothing to tell.
const presenceRefused = { reason: "presence refused" };
const presenceLimit = { reason: "presence limit" };

/** The reason of what was thrown to refuse, by the user or by presence; undefined for a crash. */
export function reasonOf(error: unknown): object | undefined {
  if (error instanceof Refused) return error.reason;
  if (SluiceError.is(error, "SLUICE_PRESENCE_REFUSED")) return presenceRefused;
  return SluiceError.is(error, "SLUICE_PRESENCE_LIMIT") ? presenceLimit : undefined;
}
