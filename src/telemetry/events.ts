/** Telemetry events and what they carry. Counts are since the event before, unless said otherwise. */
export interface TelemetryEvents {
  /** A full buffer gave up events. */
  "sluice.stage.discarded": { readonly stage: string; readonly count: number };
  /** A stage was asked for `count` more events. */
  "sluice.stage.demand": { readonly stage: string; readonly count: number };
  /**
   * A stage has stood still for `stalledMs` though it has work: `backlog` tells what waits where in it, `asked` how many
   * events are asked of it. Told once per stall, by a `stallDetector`.
   */
  "sluice.stage.stalled": {
    readonly stage: string;
    readonly label: string;
    readonly stalledMs: number;
    readonly asked: number;
    readonly backlog: { readonly [place: string]: number };
  };
  /** A stage that had stalled moves again, `stalledMs` after it stood still. */
  "sluice.stage.recovered": {
    readonly stage: string;
    readonly label: string;
    readonly stalledMs: number;
  };
  /** Casts were dropped: the mailbox was full, or (`pid` undefined) there was no such process. */
  "sluice.process.dropped": { readonly pid: string | undefined; readonly count: number };
  /** A process ended. `label` tells what it ran. */
  "sluice.process.exited": {
    readonly pid: string;
    readonly label: string;
    readonly reason: unknown;
  };
  /** A killed process left a callback running, or one of those ended; `count` are running now. */
  "sluice.process.zombie": { readonly pid: string; readonly count: number };
  /** A supervisor started a child again, which had ended for `reason`. */
  "sluice.supervisor.restarted": {
    readonly supervisor: string;
    readonly child: string;
    readonly reason: unknown;
  };
  /** Broadcasts reached nobody: there is no subscriber here, and no other node. */
  "sluice.pubsub.unreached": { readonly topic: string; readonly count: number };
  /**
   * Broadcasts were not sent to other nodes: the broker is away (`"down"`), more waits for it than may (`"full"`), or it
   * did not confirm them (`"failed"`: they may have been sent).
   */
  "sluice.pubsub.unsent": {
    readonly topic: string;
    readonly count: number;
    readonly why: "down" | "full" | "failed";
  };
  /** The node is connected to others: all its `subscriptions` are confirmed. `unsent` could not be sent since before. */
  "sluice.pubsub.up": {
    readonly adapter: string;
    readonly node: string;
    readonly downMs: number;
    readonly subscriptions: number;
    readonly unsent: number;
  };
  /** The node has lost the others. */
  "sluice.pubsub.down": { readonly adapter: string; readonly reason: string };
  /**
   * Messages from `node` to the others, and from them to it, may be lost: it was cut off for `downMs`, and knows of
   * `unsent` that it did not send. Told on every node, `isOwn` on that one.
   */
  "sluice.pubsub.gap": {
    readonly node: string;
    readonly isOwn: boolean;
    readonly downMs: number;
    readonly unsent: number;
  };
  /**
   * Something came from the broker that was not said to this node by a node that it believes, and was let go: `count` texts
   * of `length` characters together. Of each reason the first is told at once, and what follows once in a heartbeat.
   */
  "sluice.pubsub.unread": {
    readonly reason: string;
    readonly count: number;
    readonly length: number;
  };
  /**
   * An endpoint serves, at `url`, which is undefined on a server that was given and does not listen at a port, or not yet.
   * Its end is a `sluice.process.exited`.
   */
  "sluice.channels.serving": { readonly endpoint: string; readonly url: string | undefined };
  /** A client was let in, `durationMs` after its request; `version` is that of the protocol it speaks. */
  "sluice.channels.connected": {
    readonly endpoint: string;
    readonly transport: "websocket" | "longpoll" | "memory";
    readonly version: string;
    readonly durationMs: number;
  };
  /** A join was answered, `durationMs` after it was read. One that matches no pattern, or is one too many, is `refused` only. */
  "sluice.channels.joined": {
    readonly endpoint: string;
    readonly pattern: string;
    readonly status: "ok" | "error";
    readonly durationMs: number;
  };
  /** An event that its channel knows was answered, `durationMs` after it was taken up, be it at once or later. */
  "sluice.channels.handled": {
    readonly endpoint: string;
    readonly pattern: string;
    readonly event: string;
    readonly status: "ok" | "error";
    readonly durationMs: number;
  };
  /** A channel ended otherwise than in order. The error is in the log, and in `sluice.process.exited`. */
  "sluice.channels.crashed": {
    readonly endpoint: string;
    readonly pattern: string;
    /** Had its client been let in? Else the join is told as well, as an error. */
    readonly wasJoined: boolean;
    /** What its client was told, and the log line says; none where the client had gone. */
    readonly id: string | undefined;
  };
  /** A connection, join or message was refused: `what` it was, and why. */
  "sluice.channels.refused": { readonly what: string; readonly reason: string };
  /**
   * What a client sent is not as a schema wants it: `event` is `"join"` for params. For each thing that is wrong, the first ten
   * of them, where it is and what the schema says: names and rules of the program's own. Where a message quotes what came,
   * it has an ellipsis.
   */
  "sluice.channels.invalid": {
    readonly endpoint: string;
    readonly pattern: string;
    readonly event: string;
    readonly issues: readonly { readonly path: string; readonly message: string }[];
  };
  /** The server closed a socket. */
  "sluice.channels.closed": { readonly code: number; readonly reason: string };
  /** An endpoint that stops begins to send a batch of its clients away: the `index`th, from 0 on, `of` so many. */
  "sluice.channels.drained": {
    readonly endpoint: string;
    readonly clients: number;
    readonly index: number;
    readonly of: number;
  };
  /** A broadcast on a topic with history is not in its log, as far as is known: nobody waited to be told. */
  "sluice.history.failed": {
    readonly endpoint: string;
    readonly topic: string;
    readonly reason: unknown;
  };
  /**
   * A log lost its hold of a topic, so that `clients` clients of this node join again with their place. `why`: entries are
   * missing (`"gap"`), a new life has begun (`"reset"`), the log was closed (`"closed"`), or one could not be handed on
   * (`"failed"`). Or what was to follow the reply to one join broke off, for a reason that `why` says in words.
   */
  "sluice.history.lost": {
    readonly topic: string;
    readonly why: string;
    readonly clients: number;
  };
  /** A client joined with `since`: how what it was handed follows on that, and how many messages it is. */
  "sluice.history.joined": {
    readonly topic: string;
    readonly status: "resumed" | "gap" | "reset";
    readonly messages: number;
  };
  /**
   * Entries of the log of a topic were read that are no broadcasts, or that no node of ours has signed where nodes sign, and
   * were not handed to clients: `count` since it was told last, which is ten seconds ago or more.
   */
  "sluice.history.refused": {
    readonly endpoint: string;
    readonly topic: string;
    readonly count: number;
  };
  /** Another node that keeps this presence is up, down (its presences have left, for now), or gone. */
  "sluice.presence.replica": {
    readonly presence: string;
    readonly replica: string;
    readonly status: "up" | "down" | "gone";
  };
  /** What came from another node was not taken: `why`, without a word of it. */
  "sluice.presence.ignored": { readonly presence: string; readonly why: string };
  /** A channel event was written to the sockets of `clients` clients, `latencyMs` after it entered the pipeline. */
  "sluice.delivery.stop": {
    readonly topic: string;
    readonly event: string;
    readonly latencyMs: number;
    readonly clients: number;
  };
  /** A client confirmed a channel event, `latencyMs` after it entered the pipeline, by the server's clock. */
  "sluice.delivery.receipt": {
    readonly topic: string;
    readonly event: string;
    readonly latencyMs: number;
  };
  /** Something to read for whoever runs the program. With no listener, warnings and errors go to the console. */
  "sluice.log": {
    readonly level: LogLevel;
    readonly message: string;
    /** An error, a reason, or what else belongs to the message; often undefined. */
    readonly details: unknown;
  };
}

/** How much a log message matters. */
export type LogLevel = "debug" | "info" | "warning" | "error";

/** The name of a telemetry event. */
export type TelemetryEvent = keyof TelemetryEvents;
