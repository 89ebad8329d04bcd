import { invalid, refused } from "../telemetry/internal.ts";
import type { AnyDefinition } from "./any-definition.ts";
import { invalidOf } from "./invalid.ts";
import type { SchemaIssue } from "./schema.ts";

/** What a client is told of a payload that its schema does not take. */
export const invalidPayload = { reason: "invalid payload" };

/** Tells whoever runs the program what a client asked for and did not get, and why; it holds nothing of what was sent. */
export function tellRefused(what: string, reason: string): void {
  if (refused.active) refused.emit({ what, reason });
}

/** The same of an event, or of a join, on a channel. */
export function tellEventRefused({ pattern }: AnyDefinition, event: string, reason: string): void {
  if (refused.active) refused.emit({ what: `${event} on ${pattern}`, reason });
}

/** The same of a payload that its schema does not take, with what the schema says. */
export function tellInvalid(
  definition: AnyDefinition,
  event: string,
  issues: readonly SchemaIssue[],
  payload: unknown,
): void {
  tellEventRefused(definition, event, invalidPayload.reason);
  const { endpoint, pattern } = definition;
  if (invalid.active)
    invalid.emit({ endpoint, pattern, event, issues: invalidOf(issues, payload) });
}
