import { describe } from "../support/internal.ts";

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
