import type { Position, Resumption } from "./contract.ts";

/** What of the stock client's `Channel` is needed; one that has not been joined. */
export interface JoiningChannel {
  /** Its topic. */
  readonly topic: string;
  /** Joins it. */
  join(timeoutMs?: number): unknown;
}

/** Where a place outlives the page: `sessionStorage`, or what is like it. */
export interface PlaceStorage {
  /** What was kept under a key. */
  getItem(key: string): string | null;
  /** Keeps it. */
  setItem(key: string, value: string): void;
}

/** How a channel goes on where it stopped. */
export interface ResumeOptions {
  /**
   * Keeps the place when the page is loaded again; default: it ends with the channel. One for each tab, as `sessionStorage`.
   * When it takes no more, the place goes on in memory.
   */
  readonly storage?: PlaceStorage;
  /** The key in `storage`; default `sluice:` and the topic. */
  readonly key?: string;
  /**
   * Messages are missing: more than the server keeps or replays (`"gap"`), or its log began anew, or what is in `storage` is no
   * place (`"reset"`). Called before the next message, of the newest that there are: load the state again here, up to date, or tell people that there is a hole.
   */
  readonly lost?: (status: "gap" | "reset") => void;
  /** A handler threw, or `lost`, or `storage`, which is told once; default: thrown again, outside of all others, as an uncaught error. */
  readonly failed?: (error: unknown) => void;
}

interface Numbered {
  readonly "~"?: { readonly offset?: number };
}
interface Past {
  readonly event: string;
  readonly payload: Numbered;
}
interface JoinReply {
  readonly "~"?: Position &
    Partial<Pick<Resumption, "status">> & {
      readonly after?: number;
      readonly recent?: readonly Past[];
    };
}
/** The inside of the stock client's `Channel`. */
interface Stock {
  readonly topic: string;
  readonly joinPush: {
    payload: () => object;
    receive(status: "ok", callback: (reply?: JoinReply) => void): unknown;
  };
  trigger: (event: string, payload?: unknown, ref?: unknown, joinRef?: string | null) => void;
}

/**
 * Lets a channel of the stock client, on a topic with history, go on where it stopped: after a lost connection, a crash or
 * restart of the server, and with `storage` in a page that was loaded again. Call it once, before `join`. Handlers given
 * to `channel.on` then see each message of the topic once and in order, the recent ones that a first join is handed among
 * them; what they cannot have, `lost` is told.
 *
 * A message counts as seen when all its handlers have returned. If one throws, the channel joins again a little later, and
 * the message is told again, to all of its handlers, until none throws: catch what is not worth that.
 *
 * ```ts no-run
 * import { Socket } from "phoenix";
 * import { resumable } from "sluice/client";
 *
 * const socket = new Socket("/socket");
 * const channel = socket.channel("orders:7", { device: "phone" });
 * resumable(channel, { storage: sessionStorage, lost: () => location.reload() });
 * channel.on("order", (order) => console.info(order));
 * channel.join();
 * socket.connect();
 * ```
 */
export function resumable(channel: JoiningChannel, options: ResumeOptions = {}): void {
  const stock = channel as unknown as Stock;
  const { key = `sluice:${channel.topic}`, lost, failed = rethrow } = options;
  const params = stock.joinPush.payload.bind(stock.joinPush);
  const tell = stock.trigger.bind(stock);
  let { storage } = options;
  let place = stored(storage, key);
  let isBroken = false;

  const reach = (epoch: string, offset: number): void => {
    place = { epoch, offset };
    try {
      storage?.setItem(key, JSON.stringify(place));
    } catch (error) {
      storage = undefined;
      failed(error);
    }
  };
  /** What fails ends the join: the stock client joins again by itself, with the place before it. */
  const attempt = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      isBroken = true;
      tell("phx_error", { reason: "a handler threw" });
      failed(error);
    }
  };
  const hear: Stock["trigger"] = (event, payload, ref, joinRef) => {
    const offset = (payload as Numbered | null | undefined)?.["~"]?.offset;
    // What names the join is a push to this client alone, and has no place.
    if (!place || offset === undefined || joinRef) return tell(event, payload, ref, joinRef);
    if (isBroken || offset <= place.offset) return;
    attempt(() => tell(event, payload, ref, joinRef));
    if (!isBroken) reach(place.epoch, offset);
  };

  stock.trigger = hear;
  stock.joinPush.payload = () => (place === undefined ? params() : { ...params(), since: place });
  stock.joinPush.receive("ok", (reply) => {
    isBroken = false;
    const told = reply?.["~"];
    if (told === undefined || told.status === "resumed") return;
    const { epoch, offset, status, after = offset, recent = [] } = told;
    const first = recent[0]?.payload["~"]?.offset ?? offset + 1;
    if (status !== undefined) attempt(() => lost?.(status));
    if (!isBroken) reach(epoch, status === undefined ? first - 1 : after);
    for (const { event, payload } of recent) hear(event, payload);
    if (!isBroken && status === undefined) reach(epoch, offset);
  });
}

/** Nothing if nothing is stored; `null`, which the server takes for a place that is lost, if that is spoiled. */
function stored(storage: PlaceStorage | undefined, key: string): Position | null | undefined {
  try {
    const text = storage?.getItem(key);
    return typeof text === "string" ? (JSON.parse(text) as Position | null) : undefined;
  } catch (error) {
    return error instanceof SyntaxError ? null : undefined;
  }
}

function rethrow(error: unknown): void {
  void Promise.resolve().then(() => {
    throw error;
  });
}
