import { checkInteger } from "../support/internal.ts";
import { checkObject, checkOneOf } from "../process/internal.ts";
import { isBytes } from "./wire/payload.ts";

/** One thing that is wrong with a value. */
export interface SchemaIssue {
  /** What, in the words of the schema. */
  readonly message: string;
  /** Where, from the outside in. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What a validation gives: the value as its type says, or what is wrong with it. */
export type SchemaResult<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/**
 * The part of Standard Schema that is used to check what clients send: schemas of Zod, Valibot, ArkType and others fit as
 * they are. Its result, not what came, is what a callback gets: `In` is what a client sends, `T` what that becomes.
 */
export interface Schema<T, In = T> {
  /** Standard Schema's one member. */
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<T> | Promise<SchemaResult<T>>;
    readonly types?: { readonly input: In; readonly output: T } | undefined;
  };
}

interface FieldTypes {
  readonly string: string;
  readonly number: number;
  readonly boolean: boolean;
}

const typeNames: readonly (keyof FieldTypes)[] = ["string", "number", "boolean"];

/**
 * A schema for a flat record: every field named here has to be there, of its type; numbers have to be finite. Fields that
 * are not named here are left out of the result. For more, bring any Standard Schema library.
 *
 * ```ts
 * import { fields } from "sluice/channels";
 *
 * const join = fields({ device: "string", version: "number" });
 * console.info(join["~standard"].validate({ device: "phone", version: 2, admin: true }));
 * ```
 *
 * @throws SluiceError `SLUICE_INVALID_OPTION` for any other type.
 */
export function fields<const F extends { readonly [name: string]: keyof FieldTypes }>(
  fields: F,
): Schema<{ readonly [K in keyof F]: FieldTypes[F[K]] }> {
  checkObject("fields", fields);
  const types = Object.entries(fields);
  for (const [name, type] of types) checkOneOf(`fields: ${name}`, type, typeNames);
  type Output = { readonly [K in keyof F]: FieldTypes[F[K]] };
  const validate = (value: unknown): SchemaResult<Output> => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      return { issues: [{ message: "expected an object" }] };
    }
    let issues: SchemaIssue[] | undefined;
    const kept: Record<string, unknown> = {};
    for (const [name, type] of types) {
      // Own properties only: `constructor` and `__proto__` are fields like any other.
      const given = Object.hasOwn(value, name) ? (value as typeof kept)[name] : undefined;
      if (!isOfType(type, given))
        (issues ??= []).push({ message: `expected a ${type}`, path: [name] });
      else if (name === "__proto__") setOwn(kept, name, given);
      else kept[name] = given;
    }
    return issues === undefined ? { value: kept as Output } : { issues };
  };
  return { "~standard": { version: 1, vendor: "sluice", validate } };
}

/**
 * A schema for a payload of bytes, which comes in a binary frame.
 *
 * ```ts
 * import { binary } from "sluice/channels";
 *
 * const chunk = binary(65_536);
 * console.info(chunk["~standard"].validate(new Uint8Array([1, 2, 3])));
 * ```
 *
 * @param maxBytes the longest payload that is let through; a message is bounded by `maxFrameBytes` before
 * @throws SluiceError `SLUICE_INVALID_OPTION` for anything but a whole number from 0 on.
 */
export function binary(maxBytes: number): Schema<Uint8Array> {
  checkInteger("maxBytes", maxBytes, 0);
  const validate = (value: unknown): SchemaResult<Uint8Array> => {
    if (!isBytes(value)) return { issues: [{ message: "expected bytes, in a binary frame" }] };
    return value.length > maxBytes
      ? { issues: [{ message: `expected at most ${maxBytes} bytes` }] }
      : { value };
  };
  return { "~standard": { version: 1, vendor: "sluice", validate } };
}

/** For the one name that an assignment takes for something else. */
function setOwn(object: object, name: string, value: unknown): void {
  Object.defineProperty(object, name, {
    value,
    configurable: true,
    enumerable: true,
    writable: true,
  });
}

function isOfType(type: keyof FieldTypes, value: unknown): boolean {
  return typeof value === type && (type !== "number" || Number.isFinite(value));
}
