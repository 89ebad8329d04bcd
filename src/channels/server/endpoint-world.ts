import type { System } from "../../runtime/internal.ts";
import type { SendingWorld } from "../socket/sending-half.ts";
import type { EndpointRecord } from "../directory.ts";
import type { FanOut } from "../fan-out/fan-out.ts";
import type { SocketIds } from "../admission/socket-ids.ts";
import type { ClosingLines } from "../transport/closing-lines.ts";

/** Sweeps over all sockets, as a clock for deadlines that need no precision: a program that stalls does not advance it. */
export interface Sweeps {
  count: number;
  readonly ms: number;
}

/** What the sockets of one mount have in common. */
export interface EndpointWorld extends SendingWorld {
  readonly system: System;
  readonly record: EndpointRecord;
  readonly fanOut: FanOut;
  readonly registry: SocketIds;
  readonly sweeps: Sweeps;
  readonly closing: ClosingLines;
}
