import { checkKnown } from "../process/internal.ts";
import { checkInteger } from "../support/internal.ts";

/** Every bound a socket lives within, with the consequence of meeting it. All are positive and finite. */
export interface Limits {
  /** Bytes of one message from a client, all fragments together; default 64 KiB. More: close 1009. */
  readonly maxFrameBytes: number;
  /** Fragments of one message; default 64. More: close 1008. */
  readonly maxFragments: number;
  /** Chunks of an unfinished message held by the parser; default 256. More: close 1008. */
  readonly maxBufferedChunks: number;
  /** Nested arrays and objects in one message, its own array included; default 64. More: a strike. */
  readonly maxJsonDepth: number;
  /** Keys of one object in a message; default 1,000. More: a strike. */
  readonly maxObjectKeys: number;
  /** Entries of one array in a message; default 10,000. More: a strike. */
  readonly maxArrayLength: number;
  /** UTF-8 bytes of a topic; default 255. More: a strike. */
  readonly maxTopicBytes: number;
  /** UTF-8 bytes of an event's name; default 64. More: a strike. */
  readonly maxEventBytes: number;
  /** UTF-8 bytes of a ref or join ref; default 32. More: a strike. */
  readonly maxRefBytes: number;
  /** Strikes of one socket; default 3. Each is answered by an error reply; after the last: close 1008. */
  readonly maxStrikes: number;
  /** Params of a connection's URL; default 64. More: refused with 403. */
  readonly maxParams: number;
  /** Brackets of one param's name and the name itself; default 8. More: refused with 403. */
  readonly maxParamDepth: number;
  /** Bytes of the `authToken` that a client brings; default 4 KiB. More: refused with 403. */
  readonly maxAuthTokenBytes: number;
  /** Channels joined by one socket; default 100. More: error reply `too many channels joined`. */
  readonly maxChannels: number;
  /** Joins per second over time; default 20. More: error reply that names the wait. */
  readonly joinsPerSecond: number;
  /** Joins at once, so that a reconnected client gets all its channels back; default 100. */
  readonly joinBurst: number;
  /** Joins of one socket that match nothing or are refused, per minute; default 10. More: close 1008. Crashes do not count. */
  readonly failedJoinsPerMinute: number;
  /** Messages per second from one socket over time; default 50. More: error replies, then 1008. */
  readonly messagesPerSecond: number;
  /** Messages at once; default 200. */
  readonly messageBurst: number;
  /** How long a socket may stay over its message rate before close 1008; default 5,000. */
  readonly overRateMs: number;
  /** Bytes per second from one socket over time; default 256 KiB. More: close 1008. */
  readonly bytesPerSecond: number;
  /** Bytes at once; default 1 MiB. */
  readonly byteBurst: number;
  /** Events of one channel not answered yet; default 200, a whole burst. More: error reply `too many unfinished`. */
  readonly maxUnfinishedPushes: number;
  /** Bytes of one payload from the server; default 1 MiB. More: the sender gets the error. */
  readonly maxPayloadBytes: number;
  /** Bytes waiting for one client, the frame about to be sent included; default 1 MiB. More: its topic's policy, or 4008. */
  readonly maxPendingBytes: number;
  /**
   * Until the log of a topic with history has answered a join; default 5,000. Later: the join is refused, to be tried again. After
   * half of it a join is answered with what was read by then, and the rest follows, a part at a time, each within this time.
   */
  readonly historyTimeoutMs: number;
  /** Waiting bytes below which a slow client counts as caught up; default 256 KiB. */
  readonly lowMarkBytes: number;
  /** How long waiting bytes may stand still before close 4008; default 10,000. */
  readonly stallMs: number;
  /** Connections of the endpoint; default 10,000. More: 503 with Retry-After, before the upgrade. */
  readonly maxConnections: number;
  /** Connections from one address; default 100. More: 503. */
  readonly maxConnectionsPerAddress: number;
  /** Connections with one socket id; default 20. More: refused. */
  readonly maxConnectionsPerUser: number;
  /** New connections per second; default 500. More: 503 with a Retry-After that differs per client. */
  readonly connectionsPerSecond: number;
  /** Until a request's headers are complete; default 5,000. Later: 408. */
  readonly headersTimeoutMs: number;
  /** Until a request is complete; default 10,000. Later: 408. */
  readonly requestTimeoutMs: number;
  /** Bytes of a request's headers; default 8 KiB. More: 431. */
  readonly maxHeaderBytes: number;
  /** Headers of a request; default 64. More: 431. */
  readonly maxHeaders: number;
  /** Until a client that asked to connect has joined something; default 15,000. Later: 503 while `connect` runs, or close 4001. */
  readonly joinWithinMs: number;
  /** Until `revalidate` of a mount has answered; default 10,000. Later: close 4003. */
  readonly revalidateTimeoutMs: number;
  /** Connections of one mount whose `revalidate` runs at a time; default 100. More: they wait their turn. */
  readonly maxRevalidations: number;
  /** Bytes of one long-polling POST; default 256 KiB. More: status 413, and nothing of it is read. */
  readonly maxPollBodyBytes: number;
  /** Messages of one long-polling POST; default 100, as the stock client sends. What is beyond is not read. */
  readonly maxPollBatch: number;
  /** Polls of one session that wait at a time; default 2. More: the oldest is answered 204. */
  readonly maxPollsPerSession: number;
  /** Polls of one session answered with messages, per second; default 50. More: they wait, and messages gather. */
  readonly pollsPerSecond: number;
  /** Age of a long-polling token, which each answer renews; default 600,000. Older: status 410. */
  readonly pollTokenMaxAgeMs: number;
  /** Without a frame from the client; default 60,000. Longer: close 1001. Clients send a heartbeat every 30 s. */
  readonly idleMs: number;
}

const KiB = 1_024;
const MiB = 1_024 * KiB;

/** What a socket lives within when nothing is said: safe against a hostile client, wide enough for the stock one. */
export const defaultLimits: Limits = Object.freeze({
  maxFrameBytes: 64 * KiB,
  maxFragments: 64,
  maxBufferedChunks: 256,
  maxJsonDepth: 64,
  maxObjectKeys: 1_000,
  maxArrayLength: 10_000,
  maxTopicBytes: 255,
  maxEventBytes: 64,
  maxRefBytes: 32,
  maxStrikes: 3,
  maxParams: 64,
  maxParamDepth: 8,
  maxAuthTokenBytes: 4 * KiB,
  maxChannels: 100,
  joinsPerSecond: 20,
  joinBurst: 100,
  failedJoinsPerMinute: 10,
  messagesPerSecond: 50,
  messageBurst: 200,
  overRateMs: 5_000,
  bytesPerSecond: 256 * KiB,
  byteBurst: MiB,
  maxUnfinishedPushes: 200,
  maxPayloadBytes: MiB,
  maxPendingBytes: MiB,
  historyTimeoutMs: 5_000,
  lowMarkBytes: 256 * KiB,
  stallMs: 10_000,
  maxConnections: 10_000,
  maxConnectionsPerAddress: 100,
  maxConnectionsPerUser: 20,
  connectionsPerSecond: 500,
  headersTimeoutMs: 5_000,
  requestTimeoutMs: 10_000,
  maxHeaderBytes: 8 * KiB,
  maxHeaders: 64,
  joinWithinMs: 15_000,
  revalidateTimeoutMs: 10_000,
  maxRevalidations: 100,
  maxPollBodyBytes: 256 * KiB,
  maxPollBatch: 100,
  maxPollsPerSession: 2,
  pollsPerSecond: 50,
  pollTokenMaxAgeMs: 600_000,
  idleMs: 60_000,
});

const names: ReadonlySet<string> = new Set(Object.keys(defaultLimits));

/**
 * The limits of one endpoint: the defaults with what an option changes.
 *
 * @throws SluiceError `SLUICE_INVALID_OPTION` for anything but a whole number from 1 on: no limit can be switched off; and for one that is not
 * there.
 */
export function limitsOf(changes: Partial<Limits> = {}): Limits {
  checkKnown("limits", changes, names);
  const limits = { ...defaultLimits, ...changes };
  for (const [name, value] of Object.entries(limits)) checkInteger(`limits.${name}`, value, 1);
  checkInteger("limits.lowMarkBytes", limits.lowMarkBytes, 1, limits.maxPendingBytes);
  return limits;
}
