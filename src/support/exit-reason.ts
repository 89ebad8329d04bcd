/**
 * Why a process ended. `"normal"`, `"shutdown"` and `{ shutdown }` are orderly: no crash is reported and a transient
 * child is not restarted. Reasons are values, compared by shape, never by identity (OTP's exit reasons).
 */
export type ExitReason =
  | "normal"
  | "shutdown"
  | "killed"
  | "noproc"
  | { readonly shutdown: unknown }
  | { readonly crash: unknown };

/** Is it an end that nobody has to answer for: `"normal"`, `"shutdown"`, `{ shutdown }`? */
export function isOrderly(reason: ExitReason): boolean {
  return (
    reason === "normal" ||
    reason === "shutdown" ||
    (typeof reason === "object" && "shutdown" in reason)
  );
}

/** The reason as a line of text, for logs and messages. */
export function describeReason(reason: ExitReason): string {
  if (typeof reason === "string") return reason;
  if ("shutdown" in reason) return `shutdown: ${describe(reason.shutdown)}`;
  return `crash: ${describe(reason.crash)}`;
}

/** Any value as short text; never throws, whatever the value does. */
export function describe(value: unknown): string {
  try {
    if (value instanceof Error) return `${value.name}: ${value.message}`;
    if (typeof value === "string") return JSON.stringify(value);
    if (typeof value === "object" && value !== null)
      return JSON.stringify(value) ?? Object.prototype.toString.call(value);
    if (typeof value === "function") return `function ${value.name}`;
    return String(value);
  } catch {
    return "a value that cannot be described";
  }
}
