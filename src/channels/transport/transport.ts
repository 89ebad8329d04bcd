import type { CloseCode, Frames } from "../wire/frame.ts";

/** One client's line, whatever it is made of. It hands frames out and tells its `Peer` what comes in. */
export interface Transport {
  /** Bytes handed over that have not left this program. */
  readonly pendingBytes: number;
  /** Sends frames with their headers; false when nothing more should come before `writable`. The bytes are shared: nobody changes them. */
  send(frames: Frames): boolean;
  /** Says why, and ends; `gone` follows, whether or not the client answers. */
  close(code: CloseCode, reason: string): void;
  /** Ends at once. */
  destroy(): void;
  /** Stops reading, so that the client's own writes have to wait. */
  pause(): void;
  /** Reads on. */
  resume(): void;
  /** Of a line that has deadlines of its own: looks at them, once per sweep. False when its client has stayed away too long. */
  sweep?(sweepMs: number): boolean;
}

/** Who hears a transport. It only enqueues. */
export interface Peer {
  /** A message of `bytes` bytes. */
  text(text: string, bytes: number): void;
  /** A message that is no text. The bytes are its reader's: nobody changes them. */
  binary(bytes: Uint8Array): void;
  /** A control frame that asks for its answer. */
  ping(payload: Uint8Array): void;
  /** What was handed over has left: more may come. */
  writable(): void;
  /** What came broke a rule of the line, which is closed with this code by whoever reads it. */
  broken(code: CloseCode, reason: string): void;
  /** Nothing comes any more. */
  gone(): void;
}
