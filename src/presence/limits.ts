import { checkKnown } from "../process/internal.ts";
import { checkInteger } from "../support/internal.ts";

/**
 * Every bound presences live within. All are positive and finite; beyond them, `track` and `update` are refused,
 * but for the rate of updates. */
export interface PresenceLimits {
  /** UTF-8 bytes of a key; default 128. */
  readonly maxKeyBytes: number;
  /** UTF-8 bytes of a meta as JSON; default 4 KiB. */
  readonly maxMetaBytes: number;
  /** Arrays and objects in each other in one meta; default 16. */
  readonly maxMetaDepth: number;
  /** Metas of one key in one topic, over all nodes; default 10. */
  readonly maxMetasPerKey: number;
  /** Keys in one topic, over all nodes; default 10,000. */
  readonly maxKeysPerTopic: number;
  /** Presences of one process; default 100. */
  readonly maxPerProcess: number;
  /**
   * Updates of one key in one topic by one process, per second and at once; default 5. Beyond, the newest meta goes out as
   * soon as it may.
   */
  readonly updatesPerSecond: number;
}

const KiB = 1_024;

/** The limits, unless an option changes them. */
export const defaultPresenceLimits: PresenceLimits = Object.freeze({
  maxKeyBytes: 128,
  maxMetaBytes: 4 * KiB,
  maxMetaDepth: 16,
  maxMetasPerKey: 10,
  maxKeysPerTopic: 10_000,
  maxPerProcess: 100,
  updatesPerSecond: 5,
});

const names: ReadonlySet<string> = new Set(Object.keys(defaultPresenceLimits));

/** The defaults with what an option changes. @throws SLUICE_INVALID_OPTION */
export function presenceLimitsOf(changes: Partial<PresenceLimits> = {}): PresenceLimits {
  checkKnown("limits", changes, names);
  const limits = { ...defaultPresenceLimits, ...changes };
  for (const [name, value] of Object.entries(limits)) checkInteger(`limits.${name}`, value, 1);
  return limits;
}
