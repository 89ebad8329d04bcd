import { SluiceError, describe } from "../support/internal.ts";
import type { PipeOptions } from "./options.ts";

/** Why it did not work, in words for people, and the exit code: 2 when an option is wrong. */
export interface Failure {
  readonly text: string;
  readonly exitCode: 1 | 2;
}

/** What made the start of a child of a child fail. */
function rootCause(error: unknown): unknown {
  if (!SluiceError.is(error, "SLUICE_START_FAILED")) return error;
  const { reason } = error.details;
  if (typeof reason !== "object") return error;
  return rootCause("crash" in reason ? reason.crash : reason.shutdown);
}

/** Why a pipe did not start, and what to do about it. */
export function failureOf(error: unknown, { host, port }: PipeOptions): Failure {
  const cause = rootCause(error);
  if (SluiceError.is(cause, "SLUICE_INVALID_OPTION")) return { text: cause.message, exitCode: 2 };
  const { code, syscall } = (cause ?? {}) as { readonly code?: string; readonly syscall?: string };
  const texts: Record<string, string> = {
    EADDRINUSE: `port ${port} of ${host} is taken: choose another with --port (0: any that is free)`,
    EACCES: `port ${port} of ${host} needs rights that this program has not: choose one with --port`,
    EADDRNOTAVAIL: `${host} is no address of this machine: choose one with --host`,
  };
  const text = syscall === "listen" ? texts[code ?? ""] : undefined;
  const known = text ?? (cause instanceof Error ? cause.message : describe(cause));
  return { text: known, exitCode: 1 };
}
