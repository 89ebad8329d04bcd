import { hash } from "node:crypto";
import type { System } from "../../runtime/internal.ts";
import type { TimerEntry } from "../../support/internal.ts";
import { closeFrame, type CloseCode, type Frames } from "../wire/frame.ts";
import { FrameReader, type FrameHearer, type FrameLimits } from "../wire/frame-reader.ts";
import type { Peer, Transport } from "./transport.ts";
import { own, ownerOf, type Line, type LineOwner } from "./upgraded-line.ts";

/** A client that does not answer a close is cut off after this. */
const closeTimeoutMs = 5_000;
/** What a client's key is hashed with, to show that the upgrade was understood (RFC 6455 §1.3). */
const acceptance = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** The answer to an upgrade that is let in. */
export function acceptUpgrade(line: Line, key: string, protocol: string | undefined): void {
  const accept = hash("sha1", key + acceptance, "base64");
  const chosen = protocol === undefined ? "" : `Sec-WebSocket-Protocol: ${protocol}\r\n`;
  line.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n${chosen}\r\n`,
    "latin1",
  );
}

/** A WebSocket on the line of an upgrade that was answered. */
export class WebSocketTransport implements Transport, FrameHearer, LineOwner {
  readonly peer: Peer;
  readonly #line: Line;
  readonly #reader: FrameReader;
  readonly #system: System;
  /** Its end has begun, from either side: nothing more is sent than a close. */
  #isClosing = false;
  #hasSentClose = false;
  /** The client has said its last. */
  #hasHeardLast = false;
  #cutOff: TimerEntry<() => void> | undefined = undefined;

  /** @param head what came right behind the request */
  constructor(system: System, limits: FrameLimits, line: Line, head: Buffer, peer: Peer) {
    this.peer = peer;
    this.#system = system;
    this.#line = line;
    this.#reader = new FrameReader(limits, this);
    own(line, this);
    line.setTimeout?.(0);
    line.setNoDelay?.(true);
    if (head.length > 0) line.unshift(head);
    line.on("end", onEnd).on("data", onData);
  }

  get pendingBytes(): number {
    return this.#line.writableLength;
  }

  send(frames: Frames): boolean {
    if (this.#isClosing) return true;
    const takesMore =
      typeof frames === "string" ? this.#line.write(frames, "latin1") : this.#line.write(frames);
    if (takesMore) return true;
    this.#line.on("drain", onDrain);
    return false;
  }

  close(code: CloseCode, reason: string): void {
    this.#sendClose(closeFrame(code, reason));
  }

  destroy(): void {
    this.#isClosing = true;
    this.#waitNoMore();
    this.#line.destroy();
  }

  pause(): void {
    this.#line.pause();
  }

  resume(): void {
    this.#line.resume();
  }

  // What the reader tells.

  text(text: string, bytes: number): void {
    this.peer.text(text, bytes);
  }

  binary(bytes: Buffer): void {
    this.peer.binary(bytes);
  }

  ping(payload: Buffer): void {
    this.peer.ping(payload);
  }

  ended(code: number | undefined, reason: Buffer): void {
    this.#heardLast();
    this.#sendClose(closeFrame(code, reason.toString()));
  }

  faulty(code: CloseCode, reason: string): void {
    this.#heardLast();
    this.#sendClose(closeFrame(code));
    this.peer.broken(code, reason);
  }

  // What the line tells.

  heard(chunk: Buffer): void {
    this.#reader.read(chunk);
  }

  /** The client's side of the line is over; a server's lines are left half open otherwise. */
  halfClosed(): void {
    this.#isClosing = true;
    this.#line.end();
    this.#cutOffLater();
  }

  closed(): void {
    this.#isClosing = true;
    this.#waitNoMore();
    // A line that was paused may hold what came before its end.
    const { readableLength } = this.#line;
    if (!this.#hasHeardLast && readableLength > 0)
      this.#reader.read(this.#line.read(readableLength) as Buffer);
    this.peer.gone();
  }

  /** What still comes is read, that its sender may end, and left unread by anybody. */
  #heardLast(): void {
    this.#hasHeardLast = true;
    this.#line.off("data", onData);
    this.#line.resume();
    if (this.#hasSentClose) this.#line.end();
  }

  #sendClose(frame: Buffer): void {
    if (this.#isClosing) return;
    this.#isClosing = this.#hasSentClose = true;
    this.#line.write(frame);
    if (this.#hasHeardLast) this.#line.end();
    this.#cutOffLater();
  }

  #waitNoMore(): void {
    if (this.#cutOff !== undefined) this.#system.cancel(this.#cutOff);
  }

  /** Whoever takes nothing any more, not even the end, is not waited for. */
  #cutOffLater(): void {
    this.#cutOff ??= this.#system.after(closeTimeoutMs, () => void this.#line.destroy());
  }
}

// Shared by all lines: no functions are made for one.

function onData(this: Line, chunk: Buffer): void {
  (ownerOf(this) as WebSocketTransport).heard(chunk);
}

function onEnd(this: Line): void {
  (ownerOf(this) as WebSocketTransport).halfClosed();
}

function onDrain(this: Line): void {
  this.off("drain", onDrain);
  (ownerOf(this) as WebSocketTransport).peer.writable();
}
