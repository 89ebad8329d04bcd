import { checkInteger, invalidOption } from "../support/internal.ts";
import { currentSystem, type System } from "../runtime/internal.ts";
import { name, type ChildSpec, type Name, type Self } from "../process/index.ts";
import { Cell, specOf, type Own } from "../process/internal.ts";
import { fetched } from "./fetched.ts";
import { settingsOf, type PresenceOptions, type Present } from "./options.ts";
import { TrackerProcess } from "./tracker-process.ts";

/** A channel, or any process that says where it is. */
export type PresentSelf = Self & { readonly topic: string };

/** A channel whose client is told. */
export type PushingSelf = PresentSelf & { readonly push: (event: never, payload: never) => void };

/** Some of a topic's presences, and where to go on. */
export interface PresencePage<Meta, Extra> {
  /** By key, in the order of the keys. */
  readonly presences: ReadonlyMap<string, Present<Meta, Extra>>;
  /** `after` of the next page; undefined on the last. */
  readonly next: string | undefined;
}

/** What a running presence is to its supervisor. It is spoken to by the functions of its token. */
export interface PresenceServer {
  /** How many keys are present in a topic. */
  count(topic: string): number;
}

/**
 * Who is where, on all nodes: a token for a presence, to be used in any module of the node that runs its child.
 *
 * All reject with `SLUICE_NO_PROCESS` while the child does not run, and as every call does.
 */
export interface Presence<Meta extends object, Extra extends object = {}> {
  /** What makes two tokens one, and, on other nodes, two trackers of one presence. */
  readonly key: string;
  /**
   * From now on `key` is present in the channel's topic (or in `topic`), until the channel ends, however it does, or
   * untracks it. A key that is tracked by several processes, such as a user with two tabs, is one presence with a meta for
   * each. Resolves with the `phx_ref` of the meta. Other nodes know within a beat, 1.5 s by default.
   *
   * @throws SluiceError `SLUICE_ALREADY_TRACKED`, `SLUICE_PRESENCE_REFUSED` for a key or meta that is not as it must be,
   * `SLUICE_PRESENCE_LIMIT`, as rejections.
   */
  track(channel: PresentSelf, key: string, meta: Meta): Promise<string>;
  track(process: Self, key: string, meta: Meta, topic: string): Promise<string>;
  /**
   * Another meta, or what a function makes of a copy of the last one, in the place of the one that this process has
   * tracked. Resolves with its `phx_ref`; clients hear one diff with a join and a leave. More updates than
   * `updatesPerSecond` go out together, the newest meta as soon as it may: then the `phx_ref` is still the one before.
   *
   * @throws SluiceError `SLUICE_NOT_TRACKED`, as `track`, and what the function throws, as rejections.
   */
  update(channel: PresentSelf, key: string, meta: Meta | ((meta: Meta) => Meta)): Promise<string>;
  update(
    process: Self,
    key: string,
    meta: Meta | ((meta: Meta) => Meta),
    topic: string,
  ): Promise<string>;
  /** `key` is no longer present by this process; nothing happens if it was not. */
  untrack(channel: PresentSelf, key: string): Promise<void>;
  untrack(process: Self, key: string, topic: string): Promise<void>;
  /** Nothing is present by this process any more, in any topic. */
  untrackAll(process: Self): Promise<void>;
  /**
   * All who are present in a topic, as this node knows it, with what `fetch` says of them.
   *
   * @throws SluiceError `SLUICE_TIMEOUT` when `fetch` has not answered in `fetchTimeoutMs`, and what `fetch` throws, as
   * rejections.
   */
  list(topic: string): Promise<ReadonlyMap<string, Present<Meta, Extra>>>;
  /** One of them; undefined when nobody is there. @throws as `list` */
  getByKey(topic: string, key: string): Promise<Present<Meta, Extra> | undefined>;
  /** How many keys are present in a topic, as this node knows it. */
  count(topic: string): Promise<number>;
  /**
   * A part of a large topic: `limit` presences (100 by default) whose keys come after `after`, in the order of their
   * code units. A key that comes or goes between two pages is or is not in them; every other is once.
   *
   * @throws SluiceError `SLUICE_INVALID_OPTION` as a rejection, and as `list`.
   */
  page(
    topic: string,
    options?: { readonly after?: string | undefined; readonly limit?: number },
  ): Promise<PresencePage<Meta, Extra>>;
  /**
   * Pushes `presence_state` to the channel's client: who is there. What has changed since comes as `presence_diff`, so that
   * a client is told of each presence once, of its own too. Call it in `joined`; `track` in `join`, where a refusal is the
   * reply.
   */
  pushState(channel: PushingSelf): Promise<void>;
  /**
   * Describes the process that keeps this presence on this node, as a child that stands before the endpoint it announces
   * to: it stops after it. One for each node; nodes that have it, and a bus between them, know of each other by themselves.
   *
   * @throws SluiceError `SLUICE_INVALID_OPTION`, naming the option.
   */
  child(options?: PresenceOptions<Meta, Extra>): ChildSpec<PresenceServer>;
  /** The runtime's own. */
  "~in"(system: System): Presence<Meta, Extra>;
}

const defaultPage = 100;
const maxPage = 10_000;

class PresenceToken {
  readonly key: string;
  readonly #bound: System | undefined;
  readonly #name: Name<TrackerProcess>;

  constructor(key: string, bound: System | undefined) {
    this.key = key;
    this.#bound = bound;
    this.#name = name<TrackerProcess>(`presence:${key}`);
  }

  "~in"(system: System): PresenceToken {
    return new PresenceToken(this.key, system);
  }

  track(process: object, key: string, meta: object, topic?: string): Promise<string> {
    const owner = ownerOf(process);
    return this.#at(owner.system).call.track(owner, topic ?? topicOf(process), key, meta);
  }

  update(process: object, key: string, meta: unknown, topic?: string): Promise<string> {
    const owner = ownerOf(process);
    return this.#at(owner.system).call.update(owner, topic ?? topicOf(process), key, meta);
  }

  untrack(process: object, key: string, topic?: string): Promise<void> {
    const owner = ownerOf(process);
    return this.#at(owner.system).call.untrack(owner, topic ?? topicOf(process), key);
  }

  untrackAll(process: object): Promise<void> {
    const owner = ownerOf(process);
    return this.#at(owner.system).call.untrackAll(owner);
  }

  async list(topic: string): Promise<ReadonlyMap<string, object>> {
    const system = this.#system;
    return fetched(system, topic, await this.#at(system).call.list(topic));
  }

  async getByKey(topic: string, key: string): Promise<object | undefined> {
    const system = this.#system;
    const found = await this.#at(system).call.getByKey(topic, key);
    return (await fetched(system, topic, found)).get(key);
  }

  count(topic: string): Promise<number> {
    return this.#at(this.#system).call.count(topic);
  }

  async page(
    topic: string,
    { after, limit = defaultPage }: { readonly after?: string; readonly limit?: number } = {},
  ): Promise<PresencePage<object, object>> {
    checkInteger("limit", limit, 1, maxPage);
    const system = this.#system;
    const found = await this.#at(system).call.page(topic, after, limit);
    return { presences: await fetched(system, topic, found), next: found.next };
  }

  pushState(channel: PushingSelf): Promise<void> {
    const owner = ownerOf(channel);
    const push = (event: string, payload: object): void =>
      channel.push(event as never, payload as never);
    return this.#at(owner.system).call.pushState(owner, topicOf(channel), push);
  }

  child(options: PresenceOptions<object, object> = {}): ChildSpec<PresenceServer> {
    const args = [this.key, settingsOf(options)];
    return specOf(TrackerProcess, { args, name: this.#name }, "worker") as never;
  }

  get #system(): System {
    return this.#bound ?? currentSystem();
  }

  #at(system: System): Name<TrackerProcess> {
    return system.of(this.#name);
  }
}

/** @throws SLUICE_INVALID_OPTION */
function ownerOf(process: object): Cell {
  const cell = (process as Partial<Own> | undefined)?.cell;
  if (cell instanceof Cell) return cell;
  throw invalidOption("process", process, "a channel, or the self of a process");
}

/** @throws SLUICE_INVALID_OPTION */
function topicOf(process: object): string {
  const { topic } = process as { readonly topic?: unknown };
  if (typeof topic === "string") return topic;
  throw invalidOption("topic", topic, "a text, for a process that is no channel");
}

/**
 * Names a presence: `Meta` is what is said of each, `Extra` what `fetch` adds to each key.
 *
 * ```ts
 * import { startSupervisor } from "sluice";
 * import { Refused, endpoint, fields } from "sluice/channels";
 * import { presence } from "sluice/presence";
 *
 * interface Topics {
 *   "room:*": { join(params: { readonly device: string }): void };
 * }
 * const web = endpoint<Topics, { readonly user: string }>("web");
 * const users = new Map([["a secret", "ann"]]);
 * const here = presence<{ readonly device: string }>("here");
 * const room = web.channel("room:*", {
 *   schemas: { join: fields({ device: "string" }) },
 *   // A refusal is the reply to the join.
 *   async join({ device }, channel) {
 *     await here.track(channel, channel.socket.assigns.user, { device });
 *     return { assigns: {} };
 *   },
 *   joined: (channel) => here.pushState(channel),
 * });
 *
 * await using app = await startSupervisor({
 *   strategy: "rest_for_one",
 *   children: {
 *     here: here.child({ to: web }),
 *     web: web.child({
 *       port: 0,
 *       sockets: {
 *         "/socket": {
 *           connect({ token = "" }) {
 *             const user = users.get(token);
 *             if (user === undefined) throw new Refused({});
 *             return { user };
 *           },
 *           channels: [room],
 *         },
 *       },
 *     }),
 *   },
 * });
 * console.info(await here.count("room:lobby"), app.pid);
 * ```
 *
 * @throws SluiceError `SLUICE_INVALID_OPTION` for a key that is no text.
 */
export function presence<Meta extends object = {}, Extra extends object = {}>(
  key: string,
): Presence<Meta, Extra> {
  if (typeof key !== "string" || key === "") throw invalidOption("presence", key, "a text");
  return new PresenceToken(key, undefined) as unknown as Presence<Meta, Extra>;
}
