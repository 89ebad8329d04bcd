import { checkInteger, invalidOption } from "../support/internal.ts";
import type { LogBounds, Position, Start } from "./log.ts";

const fields = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? { ...value } : {};

export function checkTopic(topic: string): void {
  if (typeof topic !== "string" || topic === "")
    throw invalidOption("topic", topic, "a text that is not empty");
}

export function checkEntries(entries: readonly unknown[]): void {
  if (!Array.isArray(entries)) throw invalidOption("entries", typeof entries, "an array");
}

export function checkPosition(position: Position): void {
  const { epoch, offset } = fields(position);
  if (typeof epoch !== "string") throw invalidOption("after.epoch", typeof epoch, "a text");
  checkInteger("after.offset", offset, 0);
}

export function checkStart(start: Start): void {
  const given = fields(start);
  if ("after" in given) checkPosition(given["after"] as Position);
  else checkInteger("start.last", given["last"], 0);
}

export function checkListener(listener: unknown): void {
  if (typeof listener !== "function")
    throw invalidOption("listener", typeof listener, "a function");
}

/** Checks the bounds that are given. */
export function checkBounds(bounds: LogBounds): void {
  for (const name of ["count", "bytes", "ageMs"] as const)
    if (bounds[name] !== undefined) checkInteger(name, bounds[name], 1);
}
