import { invalidOption, type Addressable } from "../support/internal.ts";
import type { Cell } from "./cell.ts";

/** Refuses what is no time to wait. @throws SLUICE_INVALID_OPTION */
export function checkMs(option: string, ms: unknown, endless = true): void {
  if (typeof ms === "number" && ms >= 0 && (endless || ms < Infinity)) return;
  throw invalidOption(
    option,
    ms,
    `milliseconds, 0 or more${endless ? "; Infinity is for ever" : ""}`,
  );
}

/** Refuses any value but these. @throws SLUICE_INVALID_OPTION */
export function checkOneOf(option: string, value: unknown, expected: readonly unknown[]): void {
  if (expected.includes(value)) return;
  throw invalidOption(option, value, expected.map((one) => JSON.stringify(one)).join(" or "));
}

/** Refuses what is no function. @throws SLUICE_INVALID_OPTION */
export function checkFunction(option: string, value: unknown): void {
  if (typeof value !== "function") throw invalidOption(option, value, "a function");
}

/** Refuses what is no object, which may hold a secret and is not shown. @throws SLUICE_INVALID_OPTION */
export function checkObject(option: string, value: unknown): void {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return;
  const what = Array.isArray(value) ? "array" : value === null ? "null" : typeof value;
  throw invalidOption(option, what, "an object");
}

const hasKey = (name: unknown): boolean =>
  typeof name === "object" && name !== null && "key" in name && typeof name.key === "string";

/** Refuses a name that was not made by `name` or `names`. @throws SLUICE_INVALID_OPTION */
export function checkName(name: unknown): void {
  if (name === undefined || hasKey(name)) return;
  throw invalidOption("name", name, "what name(…) or names(…)(…) returns");
}

/** Under such a name, mistyped or misplaced, what was given is not shown. */
const secretive = /secret|password|token|credential/i;

/** Refuses options that nobody reads, and what is no options. @throws SLUICE_INVALID_OPTION */
export function checkKnown(what: string, options: object, known: ReadonlySet<string>): void {
  if (typeof options !== "object" || (options as object | null) === null)
    throw invalidOption(`options of ${what}`, options, "an object");
  for (const [option, value] of Object.entries(options))
    if (!known.has(option))
      throw invalidOption(
        `${what}: ${option}`,
        secretive.test(option) ? "something" : value,
        `one of the options ${[...known].join(", ")}`,
      );
}

/** The process at a target, now. @throws SLUICE_INVALID_OPTION */
export function cellAt(target: Addressable): Cell | undefined {
  if (typeof (target as Partial<Addressable> | null | undefined)?.["~resolve"] !== "function")
    throw invalidOption("target", target, "a ref, a name or a supervisor's child");
  return target["~resolve"]() as Cell | undefined;
}

/** The process that was at a target last, where that is known. */
export function lastAt(target: Addressable): Cell | undefined {
  return (target as { "~last"?(): Cell | undefined })["~last"]?.();
}
