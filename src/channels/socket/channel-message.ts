import type { Message } from "../../process/internal.ts";
import type { BroadcastMessage } from "../fan-out/broadcast.ts";
import type { Attempt } from "../transport/attempt.ts";
import type { Incoming } from "../wire/serializer.ts";

/** What sockets and channels are sent, beside what every process is; the numbers before are those of other layers. */
export const ChannelKind = {
  connect: 32,
  frame: 33,
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
export class FrameMessage implements Message {
  readonly kind: number = ChannelKind.frame;
  next: Message | undefined = undefined;
  readonly data: string | Uint8Array;
  /** It came faster than it may. */
  readonly isOver: boolean;
  constructor(data: string | Uint8Array, isOver: boolean) {
    this.data = data;
    this.isOver = isOver;
  }
}

/** To a socket: its client is gone. */
export class GoneMessage implements Message {
  readonly kind: number = ChannelKind.gone;
  next: Message | undefined = undefined;
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

/** What a client says that will say nothing more. */
export const silence: Incoming = {
  joinRef: null,
  ref: null,
  topic: "",
  event: "",
  payload: undefined,
};

/** To a channel: a broadcast that it sees before its client. */
export class InterceptMessage implements Message {
  readonly kind: number = ChannelKind.broadcast;
  next: Message | undefined = undefined;
  readonly broadcast: BroadcastMessage;
  constructor(broadcast: BroadcastMessage) {
    this.broadcast = broadcast;
  }
}
