import { checkFunction, checkKnown } from "../process/internal.ts";
import { invalidOption } from "../support/internal.ts";
import type { AnyCallbacks } from "./any-definition.ts";

const known: { readonly [option in keyof AnyCallbacks]-?: true } = {
  join: true,
  joined: true,
  subscribe: true,
  info: true,
  on: true,
  intercept: true,
  leave: true,
  slow: true,
  schemas: true,
  history: true,
};
const options: ReadonlySet<string> = new Set(Object.keys(known));

/**
 * Looks at what a channel is defined by before a client meets it. Types say the same, but not to everybody: a schema that is
 * missing would let through whatever a client sends.
 *
 * @throws SluiceError `SLUICE_INVALID_OPTION`, naming the channel and the option.
 */
export function checkDefinition(pattern: string, callbacks: AnyCallbacks): void {
  const what = `channel ${pattern}`;
  if (!isObject(callbacks)) throw invalidOption(what, callbacks, "an object with its join");
  checkKnown(what, callbacks, options);
  const { join, joined, subscribe, info, leave, on = {}, intercept = {} } = callbacks;
  checkFunction(`${what}: join`, join);
  for (const [name, callback] of Object.entries({ joined, subscribe, info, leave }))
    if (callback !== undefined) checkFunction(`${what}: ${name}`, callback);
  // What comes of it would be lost, and nobody told.
  if (subscribe !== undefined) checkFunction(`${what}: info`, info);
  for (const [name, handlers] of Object.entries({ on, intercept })) {
    if (!isObject(handlers))
      throw invalidOption(`${what}: ${name}`, handlers, "an object with a function for each event");
    for (const [event, handler] of Object.entries(handlers))
      checkFunction(`${what}: ${name}.${event}`, handler);
  }
  checkSlow(`${what}: slow`, callbacks.slow);
  checkSchemas(what, callbacks.schemas, Object.keys(on));
}

/** Refuses what is no policy for slow clients; `also` is what else would do there. @throws SLUICE_INVALID_OPTION */
export function checkSlow(option: string, slow: unknown, also = ""): void {
  if (slow === undefined || slow === "disconnect" || slow === "dropOldest") return;
  if (isObject(slow) && "latest" in slow && typeof slow.latest === "function") return;
  throw invalidOption(
    option,
    slow,
    `${also === "" ? "" : `${also}, `}"disconnect", "dropOldest" or { latest: (payload) => key }`,
  );
}

function checkSchemas(what: string, schemas: unknown, events: readonly string[]): void {
  if (schemas === "trusted" || (schemas === undefined && events.length === 0)) return;
  if (!isObject(schemas))
    throw invalidOption(
      `${what}: schemas`,
      schemas,
      'a schema for join and for each event of on, or "trusted", which checks nothing',
    );
  for (const name of new Set(["join", ...events, ...Object.keys(schemas)])) {
    const schema: unknown = Object.getOwnPropertyDescriptor(schemas, name)?.value;
    if (!isSchema(schema))
      throw invalidOption(
        `${what}: schemas.${name}`,
        schema,
        "a Standard Schema, such as fields({ … })",
      );
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Some libraries' schemas are functions. */
function isSchema(value: unknown): boolean {
  if (typeof value !== "function" && !isObject(value)) return false;
  const standard = (value as { readonly "~standard"?: { readonly validate?: unknown } | null })[
    "~standard"
  ];
  return typeof standard?.validate === "function";
}
