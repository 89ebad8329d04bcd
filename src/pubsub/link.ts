import { SluiceError, describe, type TimerEntry } from "../support/internal.ts";
import type { System } from "../runtime/internal.ts";
import { down, gap, log, up, unsent } from "../telemetry/internal.ts";
import { KeptConnection, type ConnectionLife, type Keeper } from "../process/internal.ts";
import type { Connection, ConnectionEvents } from "./adapter.ts";
import { newNodeName, type Bus, type Uplink } from "./bus.ts";
import { messageRefused } from "./codec.ts";
import { isWithin, utf8Bytes, type Sealing } from "./envelope.ts";
import { Holds, type Hold } from "./holds.ts";
import { LetGo } from "./let-go.ts";
import { NewestConnections } from "./newest-connections.ts";
import type { LinkOptions } from "./link-options.ts";
import { Signed } from "./signed.ts";
import { unsigned } from "./unsigned.ts";

/** What nodes say to each other beside messages of the bus. */
const beatKind = "~beat";
const gapKind = "~gap";
/** Where topics of the bus, single nodes, and all nodes are reached at the broker. */
const place = (topic: string): string =>
  topic.isWellFormed() ? `t/${topic}` : `j/${JSON.stringify(topic)}`;
const nodePlace = (node: string): string => `n/${node}`;
const everybody = "all";
/** What was published has so long to go out at the end. */
const closeMs = 2_000;

/** The uplink of one bus over one kept connection: what goes out and comes in, what could not go out, what may be missing. */
export class Link implements Uplink, Keeper<Connection> {
  /** Since the start: messages handed to the broker, messages that came, messages that were not sent. */
  published = 0;
  received = 0;
  unsent = 0;
  /** Messages that came by a connection which their node had given up. */
  late = 0;
  /** Bytes that the broker has not confirmed. */
  pendingBytes = 0;
  readonly #system: System;
  readonly #bus: Bus;
  readonly #options: LinkOptions;
  readonly #holds: Holds;
  readonly #kept: KeptConnection<Connection>;
  /** By it this life of the node knows its own messages. */
  readonly #from: string;
  readonly #sealing: Sealing;
  readonly #letGo: LetGo;
  /** The connection that may be subscribed on: up, or about to be. */
  #connection: Connection | undefined = undefined;
  #seq = 0;
  /** The first message of this connection. */
  #since = 0;
  readonly #newest: NewestConnections = new NewestConnections();
  /** Topics to be subscribed together, at the end of the turn. */
  #asked: Set<string> | undefined = undefined;
  #downSince: number;
  /** Unsent, and nobody has been told. */
  #unannounced = 0;
  #maxBytes: number;
  #start: PromiseWithResolvers<void> | undefined = undefined;
  #startTimer: TimerEntry<() => void> | undefined = undefined;

  constructor(system: System, bus: Bus, options: LinkOptions) {
    this.#system = system;
    this.#bus = bus;
    this.#options = options;
    const { secrets, adapter } = options;
    this.#from = newNodeName(system);
    this.#sealing =
      secrets === "trusted" ? unsigned : new Signed(secrets, this.#from, system.runtime);
    this.#letGo = new LetGo(adapter.kind);
    this.#holds = new Holds(system, options.confirmMs);
    this.#kept = new KeptConnection(system, options, this);
    this.#downSince = system.runtime.now();
    this.#maxBytes = options.maxMessageBytes;
  }

  get isUp(): boolean {
    return this.#kept.current !== undefined;
  }

  get isSigned(): boolean {
    return this.#options.secrets !== "trusted";
  }

  /** Texts that came and were no message for this node of a node that it believes. */
  get unread(): number {
    return this.#letGo.count;
  }

  get subscriptions(): number {
    return this.#holds.size;
  }

  /** Joins the bus to the others; resolves when it is connected, or may go on without. @throws SLUICE_ADAPTER_DOWN as a rejection */
  open(): Promise<void> {
    const { startTimeoutMs, nodeName } = this.#options;
    const bus = this.#bus;
    if (nodeName !== undefined) bus.nodeName = nodeName;
    bus.uplink = this;
    for (const topic of bus.topics.keys()) this.#holds.add(topic);
    this.#start = Promise.withResolvers();
    this.#startTimer = this.#system.after(startTimeoutMs, () => this.#lateStart());
    this.#kept.begin();
    return this.#start.promise;
  }

  /** Nobody waits for the start any more. */
  abandon(): void {
    this.#started();
  }

  /** Leaves the others. */
  async close(): Promise<void> {
    this.#started();
    if (this.#bus.uplink === this) this.#bus.uplink = undefined;
    this.#connection = undefined;
    this.#asked = undefined;
    this.#holds.reset();
    const connection = this.#kept.close();
    if (connection === undefined) return;
    const timer = this.#system.after(closeMs, () => connection.abort());
    await connection.close();
    this.#system.cancel(timer);
  }

  // The bus.

  publish(topic: string, kind: string, text: string, node?: string): void {
    const sealed = this.#sealed(topic, kind, text, node);
    if (!isWithin(sealed, this.#maxBytes)) {
      const { kind: broker } = this.#options.adapter;
      const got = utf8Bytes(sealed);
      throw messageRefused(
        topic,
        `it is ${got} bytes with its envelope, and ${broker} takes ${this.#maxBytes}`,
      );
    }
    const connection = this.#kept.current;
    if (connection === undefined) return this.#notSent(topic, "down");
    if (this.pendingBytes + sealed.length > this.#options.maxPendingBytes)
      return this.#notSent(topic, "full");
    this.published++;
    this.#send(connection, node === undefined ? place(topic) : nodePlace(node), sealed, topic);
  }

  hold(topic: string): void {
    this.#holds.add(topic);
    if (this.#connection === undefined) return;
    if (this.#asked !== undefined) return void this.#asked.add(topic);
    this.#asked = new Set([topic]);
    this.#system.runtime.soon(() => this.#ask());
  }

  release(topic: string): void {
    this.#holds.delete(topic);
    if (this.#asked?.delete(topic) !== true) this.#connection?.unsubscribe(place(topic));
  }

  confirmed(topic: string): Promise<void> | undefined {
    return this.#connection === undefined ? undefined : this.#holds.wait(topic);
  }

  // The connection.

  connect(life: ConnectionLife, signal: AbortSignal): Promise<Connection> {
    const events: ConnectionEvents = {
      message: (text) => {
        if (!life.isOver) this.#message(text);
      },
      lost: (reason) => life.lost(reason),
    };
    return this.#options.adapter.connect(events, signal);
  }

  abort(connection: Connection): void {
    connection.abort();
  }

  async restore(connection: Connection, life: ConnectionLife): Promise<void> {
    this.#maxBytes = Math.min(this.#options.maxMessageBytes, connection.maxMessageBytes);
    await connection.subscribe([everybody, nodePlace(this.#bus.nodeName)]);
    if (life.isOver) return;
    this.#connection = connection;
    await this.#subscribe(connection, this.#holds.open);
  }

  up(connection: Connection): void {
    const { kind } = this.#options.adapter;
    const { nodeName } = this.#bus;
    const isFirst = this.#start !== undefined;
    const downMs = this.#system.runtime.now() - this.#downSince;
    if (!isFirst) log("info", `${kind}: connected again after ${Math.round(downMs)} ms`);
    if (up.active)
      up.emit({
        adapter: kind,
        node: nodeName,
        downMs,
        subscriptions: this.#holds.size,
        unsent: this.#unannounced,
      });
    if (isFirst) return this.#started();
    this.#since = this.#seq + 1;
    this.#announce(connection, downMs);
  }

  down(reason: unknown, wasUp: boolean): void {
    const { kind } = this.#options.adapter;
    this.#connection = undefined;
    this.#asked = undefined;
    this.#holds.reset();
    if (!wasUp) return;
    this.#downSince = this.#system.runtime.now();
    this.#tellDown(kind, reason);
  }

  beat(connection: Connection): void {
    this.#letGo.tell();
    // What was not sent while the connection was up is told when there is room again.
    const hasRoom = this.pendingBytes <= this.#options.maxPendingBytes / 2;
    if (this.#unannounced > 0 && hasRoom) this.#announce(connection, 0);
    const beat = this.#sealed("", beatKind, "");
    this.#send(connection, nodePlace(this.#bus.nodeName), beat, undefined);
  }

  #message(text: string): void {
    const fits = isWithin(text, this.#options.maxMessageBytes);
    const envelope = fits ? this.#sealing.open(text) : "larger than `maxMessageBytes`";
    if (typeof envelope === "string") return this.#letGo.add(envelope, text.length);
    // Of a version to come: of the others' business.
    if (envelope === null) return undefined;
    const { from, kind, topic, to } = envelope;
    if (from === this.#from) return kind === beatKind ? this.#kept.heard() : undefined;
    if (to !== undefined && to !== this.#bus.nodeName)
      return this.#letGo.add("for another node", text.length);
    if (this.#newest.isLate(from, envelope.since ?? 0)) return void this.late++;
    if (kind === gapKind) return this.#hearGap(envelope.text);
    if (kind.startsWith("~")) return undefined;
    this.received++;
    try {
      this.#bus.arrive(topic, kind, envelope.text);
    } catch (error) {
      log("error", `a message of another node on ${JSON.stringify(topic)} failed`, error);
    }
  }

  #sealed(topic: string, kind: string, text: string, to?: string): string {
    const [seq, since] = [++this.#seq, this.#since];
    return this.#sealing.seal({ from: this.#from, seq, since, kind, topic, to, text });
  }

  /** A topic that is none is of the nodes' own. */
  #send(connection: Connection, to: string, sealed: string, topic: string | undefined): void {
    const bytes = sealed.length;
    this.pendingBytes += bytes;
    connection.publish(to, sealed).then(
      () => void (this.pendingBytes -= bytes),
      () => {
        this.pendingBytes -= bytes;
        if (topic !== undefined) this.#notSent(topic, "failed");
      },
    );
  }

  #notSent(topic: string, why: "down" | "full" | "failed"): void {
    this.unsent++;
    this.#unannounced++;
    if (unsent.active) unsent.emit({ topic, count: 1, why });
  }

  /** Subscribes to what was asked for in this turn. */
  #ask(): void {
    const holds = this.#holds.of(this.#asked ?? []);
    this.#asked = undefined;
    const connection = this.#connection;
    if (connection !== undefined) void this.#subscribe(connection, holds);
  }

  /** Never rejects: what the broker refuses is told to whoever waits for it. */
  async #subscribe(connection: Connection, holds: readonly Hold[]): Promise<void> {
    if (holds.length === 0) return undefined;
    try {
      await connection.subscribe(holds.map(({ topic }) => place(topic)));
    } catch (error) {
      if (connection !== this.#connection) return undefined;
      if (holds.length > 1) {
        const each = this.#holds.wanted(holds).map((hold) => this.#subscribe(connection, [hold]));
        return void (await Promise.all(each));
      }
      const { topic } = holds[0]!;
      log("error", `the broker refuses a subscription to ${JSON.stringify(topic)}`, error);
      return this.#holds.refuse(holds, error);
    }
    if (connection !== this.#connection) return undefined;
    if (this.#holds.confirm(holds)) this.#tellGap(this.#bus.nodeName, true, 0, 0);
    return undefined;
  }

  /** Tells all nodes, this one too, that messages between it and them may be lost. */
  #announce(connection: Connection, downMs: number): void {
    const count = this.#unannounced;
    this.#unannounced = 0;
    const { nodeName: node } = this.#bus;
    const text = JSON.stringify({ node, downMs, unsent: count });
    this.#send(connection, everybody, this.#sealed("", gapKind, text), undefined);
    this.#tellGap(node, true, downMs, count);
  }

  #hearGap(text: string): void {
    let told: unknown;
    try {
      told = JSON.parse(text);
    } catch {
      told = undefined;
    }
    const { node, downMs, unsent: count } = (told ?? {}) as Readonly<Record<string, unknown>>;
    if (typeof node !== "string" || typeof downMs !== "number" || typeof count !== "number")
      return this.#letGo.add("a malformed gap", text.length);
    this.#tellGap(node, false, downMs, count);
  }

  #tellGap(node: string, isOwn: boolean, downMs: number, count: number): void {
    const told = { node, isOwn, downMs, unsent: count };
    if (gap.active) gap.emit(told);
    this.#bus.gap(told);
  }

  #tellDown(kind: string, reason: unknown): void {
    log("warning", `${kind}: not connected, broadcasts stay on this node: ${describe(reason)}`);
    if (down.active) down.emit({ adapter: kind, reason: describe(reason) });
  }

  /** The start has waited long enough. */
  #lateStart(): void {
    const start = this.#start;
    const { adapter, unconnected, startTimeoutMs } = this.#options;
    const { lastReason } = this.#kept;
    const why = lastReason === undefined ? `nothing in ${startTimeoutMs} ms` : describe(lastReason);
    if (unconnected === "fail")
      start?.reject(
        new SluiceError(
          "SLUICE_ADAPTER_DOWN",
          `${adapter.kind} is not connected: ${why}`,
          { adapter: adapter.kind },
          { cause: lastReason },
        ),
      );
    else this.#tellDown(adapter.kind, lastReason ?? why);
    this.#started();
  }

  #started(): void {
    if (this.#startTimer !== undefined) this.#system.cancel(this.#startTimer);
    this.#startTimer = undefined;
    this.#start?.resolve();
    this.#start = undefined;
  }
}
