import { invalid } from "../telemetry/internal.ts";
import type { AnyDefinition } from "./any-definition.ts";
import { invalidOf } from "./invalid.ts";
import type { SchemaIssue } from "./schema.ts";
import { tellEventRefused } from "./tell-refused.ts";

/** What a client is told of a payload that its schema does not take. */
export const invalidPayload = { reason: "invalid payload" };

/** Tells whoever runs the program of such a payload, and what the schema says. */
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
