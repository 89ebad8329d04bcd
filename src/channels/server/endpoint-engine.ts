import { isOrderly, type ExitReason, type TimerEntry } from "../../support/internal.ts";
import type { System } from "../../runtime/internal.ts";
import { bus } from "../../pubsub/internal.ts";
import {
  Cell,
  Kind,
  planOf,
  stopCell,
  type ExitMessage,
  type Engine,
  type Figures,
  type Message,
  type Upstream,
} from "../../process/internal.ts";
import { drained, log } from "../../telemetry/internal.ts";
import { checkConnect, mountAt, withVariables } from "../admission/connect-checks.ts";
import { ConnectMessage } from "../socket/channel-message.ts";
import { directory, type EndpointRecord } from "../directory.ts";
import { batchesOf, drainOf, type Drain } from "./drain-batches.ts";
import { ConnectionLimiter } from "../admission/connection-limiter.ts";
import type { EndpointOptions } from "../endpoint-options.ts";
import type { EndpointWorld, Sweeps } from "./endpoint-world.ts";
import { FanOut } from "../fan-out/fan-out.ts";
import { Flusher } from "../fan-out/flusher.ts";
import { limitsOf, type Limits } from "../limits.ts";
import {
  definitionsOf,
  mountLimits,
  windowOf,
  type Mount,
  type PolledMount,
} from "../admission/mount.ts";
import { MountPath } from "../admission/mount-path.ts";
import { withinOpenFiles } from "../open-files.ts";
import { originPolicy, type OriginPolicy } from "../admission/origin.ts";
import { SocketIds } from "../admission/socket-ids.ts";
import { LetIn } from "../admission/connect-facts.ts";
import { RightsDesk } from "../admission/socket-rights.ts";
import { SocketProcess } from "../socket/socket-process.ts";
import { tellRefused } from "../tell-refused.ts";
import { ClosingLines } from "../transport/closing-lines.ts";
import { PendingConnection, type Host } from "../transport/pending-connection.ts";
import { TrustedProxies } from "../admission/trusted-proxies.ts";
import { v1 } from "../wire/v1-serializer.ts";
import { v2, v2Text } from "../wire/v2-serializer.ts";

const socketPlan = planOf(SocketProcess, { shutdown: "infinity" }, "socket");
/** Sweeps over all sockets are this far apart, or closer where a limit is short. */
const longestSweepMs = 1_000;
const sweepsPerLimit = 4;
/** What was asked of an endpoint that stops, and what is left in its outboxes, has this long to be answered and go out. */
const flushMs = 2_000;
/** Clients that were told to come back have this long to close their side. */
const goodbyeMs = 1_000;
const lookAgainMs = 10;
/** Whoever is gone holds no place, but a `connect` that never answers holds what it has: so many for each place. */
const mostAbandoned = 2;

/** Something that an endpoint is reached by. */
export interface Listening {
  /** Stops accepting connections. */
  close(): void;
  /** Cuts what is left. */
  end(): void;
}

/** The engine of an endpoint, whatever connections come by: admits them, gives each a process, and looks after their deadlines. */
export class EndpointEngine implements Engine, Host {
  readonly role = "endpoint";
  readonly key: string;
  readonly mounts: ReadonlyMap<string, Mount>;
  readonly policy: OriginPolicy;
  readonly limits: Limits;
  readonly proxies: TrustedProxies;
  readonly system: System;
  /** What it is reached by. */
  readonly listeners: Listening[] = [];
  readonly #cell: Cell;
  readonly #record: EndpointRecord;
  readonly #fanOut: FanOut;
  readonly #registry: SocketIds;
  readonly #connections: ConnectionLimiter;
  readonly #sweeps: Sweeps;
  readonly #closing = new ClosingLines();
  readonly #control: Disposable;
  #sweep: TimerEntry<() => void> | undefined = undefined;
  readonly #waits: Set<TimerEntry<() => void>> = new Set();
  readonly #drain: Drain;
  #isOpen = true;

  /** @throws SLUICE_INVALID_OPTION */
  constructor(cell: Cell, key: string, options: EndpointOptions<never>) {
    const { system } = cell;
    this.#cell = cell;
    this.key = key;
    this.system = system;
    const limits = limitsOf(options.limits);
    this.limits = system.runtime.simulated
      ? limits
      : withinOpenFiles(key, limits, options.limits?.maxConnections);
    this.policy = originPolicy(options);
    this.proxies = new TrustedProxies(options.trustedProxies);
    this.#drain = drainOf(options.drain);
    this.#record = system.get(directory).record(key);
    const flusher = new Flusher(system.runtime);
    this.#fanOut = new FanOut(system.get(bus), this.#record, flusher);
    this.#registry = new SocketIds(this.limits);
    this.#connections = new ConnectionLimiter(system, this.limits);
    const { joinWithinMs, idleMs, stallMs } = this.limits;
    const windows = Object.values(options.sockets).map((socket) => windowOf(socket) ?? Infinity);
    const shortest = Math.min(joinWithinMs, idleMs, stallMs, ...windows);
    const ms = Math.min(longestSweepMs, Math.ceil(shortest / sweepsPerLimit));
    this.#sweeps = { count: 0, ms };
    this.mounts = new Map(
      Object.entries(options.sockets).map(([path, socket]): [string, Mount] => {
        const world: EndpointWorld = {
          system,
          flusher,
          limits: mountLimits(this.limits, socket.maxPendingBytes),
          record: this.#record,
          fanOut: this.#fanOut,
          registry: this.#registry,
          sweeps: this.#sweeps,
          closing: this.#closing,
        };
        const definitions = definitionsOf(key, socket.channels);
        const windowMs = windowOf(socket);
        const mounted = socket as unknown as Mount["options"];
        const rights = new RightsDesk(mounted, system.runtime, world.limits);
        return [
          path,
          { path: new MountPath(path), options: mounted, definitions, world, rights, windowMs },
        ];
      }),
    );
    this.#record.limits = this.limits;
    this.#record.fanOuts.add(this.#fanOut);
    this.#control = system.get(bus).subscribe(this.#record.controlTopic, {
      hear: (id) => this.#registry.disconnect(String(id)),
    });
  }

  receive(message: Message): void {
    if (message.kind !== Kind.childExit) return;
    const { from: child, content: reason } = message as ExitMessage;
    const pending = (child as Cell).note as PendingConnection | LetIn;
    if (!isOrderly(reason)) log("error", `${(child as Cell).pid} crashed`, reason);
    if (!(pending instanceof LetIn)) pending.refuse(isOrderly(reason) ? 503 : 500);
    this.#connections.release(pending);
  }

  inspect(): { readonly figures: Figures; readonly upstream: readonly Upstream[] } {
    const appends = this.#record.log.backlog.size;
    return { figures: { sockets: this.#connections.inside, appends }, upstream: [] };
  }

  exited(_reason: ExitReason): void {
    // Who waited at a socket whose end it has not heard of is turned away like all others.
    for (let { head } = this.#cell; head !== undefined; head = head.next) this.receive(head);
    this.#shut();
    for (const listener of this.listeners) listener.end();
    this.#closing.end();
    if (this.#sweep !== undefined) this.system.cancel(this.#sweep);
    for (const timer of this.#waits) this.system.cancel(timer);
    this.#record.fanOuts.delete(this.#fanOut);
    this.#control[Symbol.dispose]();
  }

  /** The mount that WebSockets reach at a path. */
  mountAt(path: string): Mount | undefined {
    return mountAt(this.mounts, path, "websocket");
  }

  /** The mount that is polled at a path. */
  polledAt(path: string): PolledMount | undefined {
    const mount = mountAt(this.mounts, path, "longpoll");
    return mount?.windowMs === undefined ? undefined : (mount as PolledMount);
  }

  /** Somebody asks to be let in. */
  connect(pending: PendingConnection): void {
    const { request } = pending;
    const verdict = checkConnect(request, this.policy, this.limits);
    if (verdict.kind === "refused") {
      tellRefused("connection", verdict.reason);
      return pending.refuse(verdict.status);
    }
    const { authToken, params } = verdict;
    pending.authToken = authToken;
    pending.params = withVariables(params, pending.mount, request.path);
    pending.serializer = verdict.version === "1.0.0" ? v1 : pending.carriesBytes ? v2 : v2Text;
    const full = this.#fullness ?? this.#connections.acquire(pending);
    if (full === undefined) {
      if (pending.cell === undefined) pending.watch();
      return;
    }
    tellRefused("connection", full);
    // Clients that were sent away together must not come back together.
    pending.refuse(503, 1 + Math.floor(this.system.runtime.random() * 10));
  }

  /** Why nobody at all can come in. */
  get #fullness(): string | undefined {
    if (!this.#isOpen) return "the endpoint stops";
    const abandoned = this.#cell.more?.zombies ?? 0;
    return abandoned >= mostAbandoned * this.limits.maxConnections
      ? "too many connects that never answer"
      : undefined;
  }

  enter(pending: PendingConnection): void {
    if (pending.isGone) return this.#connections.release(pending);
    const socket = new Cell(this.system, socketPlan, this.#cell, [pending.mount]);
    socket.note = pending;
    pending.cell = socket;
    socket.begin();
    socket.send(new ConnectMessage(pending));
    this.#sweep ??= this.system.after(this.#sweeps.ms, this.#look);
  }

  /**
   * Ends in order: what was asked is answered and goes out, clients are told to come back, channels run their `leave`. In
   * batches, so that clients do not all come back at once; those that wait for theirs are served meanwhile.
   */
  async close(): Promise<void> {
    this.#shut();
    const batches = batchesOf(this.#live, this.#drain);
    const goodbyes: Promise<void>[] = [];
    for (const [index, batch] of batches.entries()) {
      if (index > 0) await this.#sleep(this.#drain.intervalMs);
      goodbyes.push(this.#sendAway(batch));
      if (drained.active)
        drained.emit({ endpoint: this.key, clients: batch.length, index, of: batches.length });
    }
    await Promise.all(goodbyes);
    await this.#until(goodbyeMs, () => this.#isEmpty);
    await Promise.all([...this.#sockets].map((socket) => stopCell(socket, "shutdown", undefined)));
  }

  async #sendAway(sockets: readonly SocketProcess[]): Promise<void> {
    for (const { client } of sockets) client.transport.pause();
    await this.#until(flushMs, () => sockets.map((socket) => socket.isDone()).every(Boolean));
    // A client's own close is read again.
    for (const { client } of sockets) client.transport.resume();
    for (const { client } of sockets) client.close(1012, "the server restarts");
  }

  get #sockets(): Iterable<Cell> {
    return this.#cell.children ?? [];
  }

  get #isEmpty(): boolean {
    return this.#cell.children?.eldest === undefined;
  }

  /** The sockets that were let in. */
  get #live(): SocketProcess[] {
    return [...this.#sockets]
      .filter(({ note }) => note instanceof LetIn)
      .map(({ engine }) => engine as SocketProcess);
  }

  readonly #look = (): void => {
    this.#sweep = undefined;
    this.#sweeps.count++;
    // An iterator makes an object for each.
    for (let socket = this.#cell.children?.eldest; socket !== undefined; socket = socket.younger)
      (socket.engine as SocketProcess | undefined)?.sweep();
    this.#closing.sweep(this.#sweeps.ms);
    if (!this.#isEmpty || !this.#closing.isEmpty)
      this.#sweep = this.system.after(this.#sweeps.ms, this.#look);
  };

  #shut(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const listener of this.listeners) listener.close();
    for (const arrival of this.#connections.close()) (arrival as PendingConnection).refuse(503);
    for (const { note } of this.#sockets)
      if (note instanceof PendingConnection) {
        note.refuse(503);
        note.abandon();
      }
  }

  /** Of an endpoint that has ended, it never ends: nobody is there to go on. */
  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.system.after(ms, () => {
        this.#waits.delete(timer);
        resolve();
      });
      this.#waits.add(timer);
    });
  }

  /** Looks again and again, for some time. */
  async #until(ms: number, holds: () => boolean): Promise<void> {
    const { runtime } = this.system;
    const deadline = runtime.now() + ms;
    while (!holds() && runtime.now() < deadline) await this.#sleep(lookAgainMs);
  }
}
