import type { Message } from "../process/internal.ts";
import type { BroadcastMessage } from "./broadcast.ts";
import type { Attempt } from "./attempt.ts";
import type { Incoming } from "./serializer.ts";

/** What sockets and channels are sent, beside what every process is; the numbers before are those of other layers. */
export const ChannelKind = {
  connect: 32,
  text: 33,
  binary: 34,
  gone: 35,
  join: 40,
  event: 41,
  leave: 42,
  broadcast: 43,
} as const;

/** To a socket, once: somebody wants to connect. */
export class ConnectMessage implements Message {
  readonly kind: number = ChannelKind.connect;
  next: Message | undefined = undefined;
  readonly attempt: Attempt;
  constructor(attempt: Attempt) {
    this.attempt = attempt;
  }
}

/** To a socket: what its client sent. */
export class TextMessage implements Message {
  readonly kind: number = ChannelKind.text;
  next: Message | undefined = undefined;
  readonly text: string;
  /** It came faster than it may. */
  readonly isOver: boolean;
  constructor(text: string, isOver: boolean) {
    this.text = text;
    this.isOver = isOver;
  }
}

/** To a socket: something without content. */
export class SocketSignal implements Message {
  readonly kind: number;
  next: Message | undefined = undefined;
  constructor(kind: typeof ChannelKind.binary | typeof ChannelKind.gone) {
    this.kind = kind;
  }
}

/** To a channel: its client joins, says something or leaves; `gone` when it will say nothing more. */
export class ClientMessage implements Message {
  readonly kind: number;
  next: Message | undefined = undefined;
  readonly incoming: Incoming;
  constructor(kind: number, incoming: Incoming) {
    this.kind = kind;
    this.incoming = incoming;
  }
}

/** To a channel: a broadcast that it sees before its client. */
export class InterceptMessage implements Message {
  readonly kind: number = ChannelKind.broadcast;
  next: Message | undefined = undefined;
  readonly broadcast: BroadcastMessage;
  constructor(broadcast: BroadcastMessage) {
    this.broadcast = broadcast;
  }
}
