import { checkInteger, invalidOption } from "../support/internal.ts";
import { checkKnown } from "../process/internal.ts";
import type { System } from "../runtime/internal.ts";
import type { Context } from "../process/index.ts";
import { presenceLimitsOf, type PresenceLimits } from "./limits.ts";

/** A meta as clients and lists have it. */
export type PresenceMeta<Meta> = Meta & {
  /** Names this meta of this presence, on all nodes; another one after each update. */
  readonly phx_ref: string;
  /** The `phx_ref` before the last update. */
  readonly phx_ref_prev?: string;
};

/** One who is present: what `fetch` says of the key, and a meta for each time it was tracked. */
export type Present<Meta, Extra = {}> = Extra & { readonly metas: readonly PresenceMeta<Meta>[] };

/** What has changed in a topic, and how it is now. */
export interface PresenceChange<Meta> {
  /** Where. */
  readonly topic: string;
  /** Metas that came, by key; an update is a meta that came and one that left. */
  readonly joins: ReadonlyMap<string, readonly PresenceMeta<Meta>[]>;
  /** Metas that left, by key. */
  readonly leaves: ReadonlyMap<string, readonly PresenceMeta<Meta>[]>;
  /** All metas that a key of `joins` or `leaves` has now; empty when it is gone. */
  readonly current: ReadonlyMap<string, readonly PresenceMeta<Meta>[]>;
}

/** Something that carries diffs to the clients of this node: an endpoint. */
export interface Announces {
  /** The runtime's own. */
  "~announce"(system: System, topic: string, event: string, payload: object): void;
  /** The runtime's own: how many would hear it. */
  "~clients"(system: System, topic: string): number;
}

/** Options of the process that keeps presences on this node. */
export interface PresenceOptions<Meta, Extra> {
  /** The endpoint whose clients hear `presence_diff`, when they have joined the topic on this node. Default: nobody. */
  readonly to?: Announces;
  /**
   * What is known of keys beyond their metas, by key, such as a user's name from a database: called once for all joins
   * and once for all leaves of a diff, once for a list. Whoever is not in its result has metas only. A failure, or more
   * than `fetchTimeoutMs`, is logged, and diffs and states go out with metas only; of a list it is the caller's. Then
   * `context.signal` aborts.
   */
  readonly fetch?: (
    topic: string,
    presences: ReadonlyMap<string, readonly PresenceMeta<Meta>[]>,
    context: Context,
  ) => ReadonlyMap<string, Extra> | Promise<ReadonlyMap<string, Extra>>;
  /** How long `fetch` and `handleMetas` may take, in ms; default 5,000. */
  readonly fetchTimeoutMs?: number;
  /** Hears each diff, in order, after the clients; one call at a time. A failure is logged. */
  readonly handleMetas?: (change: PresenceChange<Meta>) => void | Promise<void>;
  /**
   * What the clients of a topic hear of changes: `"diffs"` (the default), the number of keys as `presence_count`, or
   * nothing. For topics with more than some thousand keys, where diffs to all are more than anybody reads.
   */
  readonly announce?: (topic: string) => "diffs" | "count" | "none";
  /** Changes of so many ms go out as one diff; default 20. What came and left within them is not told. */
  readonly diffMs?: number;
  /** Larger diffs and states go out in pieces of so many bytes, about; default 256 KiB. */
  readonly maxPieceBytes?: number;
  /** Bounds that differ from `defaultPresenceLimits`. */
  readonly limits?: Partial<PresenceLimits>;
  /**
   * Lets keys be names that every JavaScript object has, such as `constructor`: clients of `phoenix` before 1.8.9 crash
   * on them. Default false: they are refused.
   */
  readonly prototypeNames?: boolean;

  /** A name that this node keeps over restarts: a new incarnation takes the place of the last one at once. Default: none. */
  readonly node?: string;
  /** How often this node tells others what it did, in ms; default 1,500, the first time within a quarter of it. */
  readonly beatMs?: number;
  /** With nothing to tell, it is silent for so many beats at most; default 10. */
  readonly silentBeats?: number;
  /** A node not heard of for so long is down: its presences leave, until it is heard of again; default `2 * silentBeats * beatMs`. */
  readonly downMs?: number;
  /** A node not heard of for so long is forgotten; default 20 minutes, more than `downMs`. */
  readonly forgetMs?: number;
  /** Every so many beats, what was missed is asked for; default 2. */
  readonly askBeats?: number;
  /** At an orderly stop, other nodes are told that the presences of this one are gone; default true. */
  readonly byeOnStop?: boolean;
  /**
   * Removals that this node remembers, so that another one that missed some of its deltas is told of these and no more;
   * default 10,000. Who missed more is told of all that is there.
   */
  readonly maxRemovals?: number;
  /** Bytes of one message to other nodes, about, unless one meta alone needs more; default 4 KiB. */
  readonly maxMessageBytes?: number;
}

/** The options, complete. */
export interface Settings {
  readonly to: Announces | undefined;
  readonly fetch: PresenceOptions<object, object>["fetch"];
  readonly fetchTimeoutMs: number;
  readonly handleMetas: PresenceOptions<object, object>["handleMetas"];
  readonly announce: (topic: string) => "diffs" | "count" | "none";
  readonly diffMs: number;
  readonly maxPieceBytes: number;
  readonly limits: PresenceLimits;
  readonly prototypeNames: boolean;
  readonly node: string | undefined;
  readonly beatMs: number;
  readonly silentBeats: number;
  readonly downMs: number;
  readonly forgetMs: number;
  readonly askBeats: number;
  readonly byeOnStop: boolean;
  readonly maxRemovals: number;
  readonly maxMessageBytes: number;
}

const names: { readonly [option in keyof Settings]: true } = {
  to: true,
  fetch: true,
  fetchTimeoutMs: true,
  handleMetas: true,
  announce: true,
  diffMs: true,
  maxPieceBytes: true,
  limits: true,
  prototypeNames: true,
  node: true,
  beatMs: true,
  silentBeats: true,
  downMs: true,
  forgetMs: true,
  askBeats: true,
  byeOnStop: true,
  maxRemovals: true,
  maxMessageBytes: true,
};
const known: ReadonlySet<string> = new Set(Object.keys(names));

const KiB = 1_024;
const twentyMinutesMs = 1_200_000;

/** The options with their defaults. @throws SLUICE_INVALID_OPTION */
export function settingsOf<Meta, Extra>(options: PresenceOptions<Meta, Extra>): Settings {
  checkKnown("presence", options, known);
  const { beatMs = 1_500, silentBeats = 10 } = options;
  const { downMs = 2 * silentBeats * beatMs } = options;
  const settings: Settings = {
    to: options.to,
    fetch: options.fetch as Settings["fetch"],
    fetchTimeoutMs: options.fetchTimeoutMs ?? 5_000,
    handleMetas: options.handleMetas as Settings["handleMetas"],
    announce: options.announce ?? (() => "diffs"),
    diffMs: options.diffMs ?? 20,
    maxPieceBytes: options.maxPieceBytes ?? 256 * KiB,
    limits: presenceLimitsOf(options.limits),
    prototypeNames: options.prototypeNames ?? false,
    node: options.node,
    beatMs,
    silentBeats,
    downMs,
    forgetMs: options.forgetMs ?? Math.max(twentyMinutesMs, downMs + beatMs),
    askBeats: options.askBeats ?? 2,
    byeOnStop: options.byeOnStop ?? true,
    maxRemovals: options.maxRemovals ?? 10_000,
    maxMessageBytes: options.maxMessageBytes ?? 4 * KiB,
  };
  check(settings);
  return settings;
}

function check(settings: Settings): void {
  const { to, node, beatMs, silentBeats, downMs, forgetMs } = settings;
  for (const option of [
    "fetchTimeoutMs",
    "diffMs",
    "beatMs",
    "silentBeats",
    "askBeats",
    "maxRemovals",
  ] as const)
    checkInteger(option, settings[option], 1);
  checkInteger("maxPieceBytes", settings.maxPieceBytes, KiB);
  checkInteger("maxMessageBytes", settings.maxMessageBytes, KiB);
  for (const option of ["fetch", "handleMetas", "announce"] as const)
    if (settings[option] !== undefined && typeof settings[option] !== "function")
      throw invalidOption(option, settings[option], "a function");
  for (const option of ["prototypeNames", "byeOnStop"] as const)
    if (typeof settings[option] !== "boolean")
      throw invalidOption(option, settings[option], "true or false");
  if (to !== undefined && typeof to["~announce"] !== "function")
    throw invalidOption("to", to, "an endpoint");
  if (node !== undefined && (typeof node !== "string" || node === ""))
    throw invalidOption("node", node, "a text");
  checkInteger("downMs", downMs, 1);
  checkInteger("forgetMs", forgetMs, 1);
  // One lost beat of a silent node must not end its presences.
  const least = 2 * silentBeats * beatMs;
  if (downMs < least)
    throw invalidOption("downMs", downMs, `at least 2 × silentBeats × beatMs, ${least}`);
  if (forgetMs <= downMs) throw invalidOption("forgetMs", forgetMs, `more than downMs, ${downMs}`);
}
