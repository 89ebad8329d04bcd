import { checkKnown } from "../../process/internal.ts";
import { checkInteger } from "../../support/internal.ts";
import type { Position } from "../contract.ts";
import type { History } from "../definition.ts";

/** `History` with its defaults. */
export type HistoryBounds = Required<History>;

const defaults: HistoryBounds = {
  count: 1_000,
  bytes: 2 ** 20,
  ageMs: Infinity,
  maxReplay: 1_000,
  onJoin: 0,
};

const names: ReadonlySet<string> = new Set(Object.keys(defaults));

/** @throws SLUICE_INVALID_OPTION */
export function historyBounds(history: History): HistoryBounds {
  checkKnown("history", history, names);
  const bounds = { ...defaults, ...history };
  for (const [name, value] of Object.entries(bounds))
    if (value !== Infinity) checkInteger(`history.${name}`, value, name === "onJoin" ? 0 : 1);
  return bounds;
}

/** A place in no log: no epoch is empty. */
const nowhere: Position = { epoch: "", offset: 0 };

/**
 * The place that a client resumes from, taken out of the params of its join; the callback sees the rest. What can be no
 * place is one that is lost: its client has seen something, and is to be told of a reset.
 */
export function takeSince(params: unknown): {
  readonly params: unknown;
  readonly since: Position | undefined;
} {
  if (typeof params !== "object" || params === null || !Object.hasOwn(params, "since"))
    return { params, since: undefined };
  const { since, ...rest } = params as { readonly since: unknown };
  return { params: rest, since: isPosition(since) ? since : nowhere };
}

/** Epochs are opaque, and no longer than this in any store. */
const maxEpochLength = 64;

function isPosition(value: unknown): value is Position {
  if (typeof value !== "object" || value === null) return false;
  const { epoch, offset } = value as Partial<Position>;
  return (
    typeof epoch === "string" &&
    epoch.length <= maxEpochLength &&
    Number.isSafeInteger(offset) &&
    offset! >= 0
  );
}
