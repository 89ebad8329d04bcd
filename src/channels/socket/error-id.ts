import type { Runtime } from "../../runtime/internal.ts";

/** What a client is told of a crash and the log says beside it, so that a user's report leads to the line. */
export function errorId(runtime: Runtime): string {
  return Math.floor(runtime.random() * 2 ** 48)
    .toString(36)
    .padStart(10, "0");
}

/** What the client of a channel that has crashed is told. */
export function crashPayload(id: string | undefined): string {
  return JSON.stringify({ reason: "channel_crash", id });
}
