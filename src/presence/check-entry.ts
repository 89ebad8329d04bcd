import { SluiceError } from "../support/internal.ts";
import type { PresenceLimits } from "./limits.ts";

/** A meta as it is kept: a copy that nobody else holds. */
export interface CheckedMeta {
  readonly meta: object;
  /** Its length as JSON. */
  readonly size: number;
}

/** Names that every object has: `constructor`, `__proto__` and the like. */
const prototypeNames: ReadonlySet<string> = new Set(Object.getOwnPropertyNames(Object.prototype));

/** Under this key payloads carry what is the runtime's. */
const reserved = "~";

/** Where a refusal belongs to. */
export interface Place {
  readonly presence: string;
  readonly topic: string;
  readonly key: string;
}

/** Refuses a key or a meta, saying why. */
function refused(place: Place, why: string): SluiceError<"SLUICE_PRESENCE_REFUSED"> {
  const { presence, topic, key } = place;
  const message = `${presence}: ${shown(key)} in ${shown(topic)} was refused: ${why}`;
  return new SluiceError("SLUICE_PRESENCE_REFUSED", message, { ...place, why });
}

/** Says which limit is reached. */
export function overLimit(
  place: Place,
  limit: keyof PresenceLimits,
  most: number,
): SluiceError<"SLUICE_PRESENCE_LIMIT"> {
  const message = `${place.presence}: ${shown(place.key)} in ${shown(place.topic)}: ${limit} is ${most}`;
  return new SluiceError("SLUICE_PRESENCE_LIMIT", message, { ...place, limit, most });
}

/** @throws SLUICE_PRESENCE_REFUSED */
export function checkKey(
  place: Place,
  { maxKeyBytes }: PresenceLimits,
  mayBePrototypes: boolean,
): void {
  const { topic, key } = place;
  if (typeof topic !== "string") throw refused({ ...place, topic: "" }, "the topic is no text");
  if (typeof key !== "string") throw refused({ ...place, key: "" }, "the key is no text");
  if (exceeds(key, maxKeyBytes))
    throw refused({ ...place, key: key.slice(0, 32) }, `the key is over ${maxKeyBytes} bytes`);
  if (!key.isWellFormed() || !topic.isWellFormed()) throw refused(place, "half a character");
  if (key === reserved) throw refused(place, `${shown(reserved)} is the runtime's own in payloads`);
  if (!mayBePrototypes && prototypeNames.has(key))
    throw refused(
      place,
      "every JavaScript object has a property of this name, which older clients take for a presence",
    );
}

/** @throws SLUICE_PRESENCE_REFUSED */
export function checkMeta(place: Place, meta: unknown, limits: PresenceLimits): CheckedMeta {
  if (typeof meta !== "object" || meta === null || Array.isArray(meta))
    throw refused(place, "the meta is no object");
  let json: string | undefined;
  try {
    json = JSON.stringify(meta) as string | undefined;
  } catch {
    throw refused(place, "the meta cannot be written as JSON");
  }
  if (json === undefined || !json.startsWith("{")) throw refused(place, "the meta is no object");
  if (exceeds(json, limits.maxMetaBytes))
    throw refused(place, `the meta is over ${limits.maxMetaBytes} bytes`);
  const kept = JSON.parse(json) as object;
  if (deeperThan(kept, limits.maxMetaDepth))
    throw refused(place, `the meta is nested deeper than ${limits.maxMetaDepth}`);
  return { meta: kept, size: json.length };
}

function deeperThan(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (depth === 0) return true;
  return Object.values(value).some((inner) => deeperThan(inner, depth - 1));
}

const encoder = new TextEncoder();

function exceeds(text: string, bytes: number): boolean {
  return text.length > bytes || encoder.encode(text).length > bytes;
}

const shown = (text: string): string =>
  JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text);
