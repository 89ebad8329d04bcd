import type { Socket } from "phoenix";

interface Place {
  readonly offset: number;
}
interface Reply {
  readonly response: {
    readonly "~"?: Place & { readonly status?: string; readonly after?: number };
  };
}
interface Frame {
  readonly event: string;
  readonly payload: unknown;
  readonly join_ref?: string | null;
}

/** Sees what a server sends to one client, before the client mends anything: behind each join the offsets follow, without hole or double. */
export function wiretap(socket: Socket, fail: (what: string) => void): void {
  let since: Place | undefined;
  let joinRef: string | null | undefined;
  let expected: number | undefined;
  const push = socket.push.bind(socket);
  socket.push = (data) => {
    const { event, payload, join_ref } = data as Frame;
    if (event === "phx_join") {
      ({ since } = payload as { since?: Place });
      joinRef = join_ref;
    }
    push(data);
  };
  socket.onMessage((message) => {
    const { event, payload, join_ref } = message as Frame;
    const isOver = (event === "phx_error" || event === "phx_close") && join_ref === joinRef;
    if (isOver) expected = undefined;
    if (event === "phx_reply") {
      const told = (payload as Reply).response["~"];
      if (told === undefined) return;
      const { offset, status, after = offset } = told;
      expected = status === "resumed" ? since!.offset : after;
    }
    const { n, "~": place } = payload as { readonly n?: number; readonly "~"?: Place };
    if (event !== "said" || n === -1) return;
    if (expected === undefined) return fail(`sent ${place?.offset} to one who has not joined`);
    if (place?.offset !== ++expected) fail(`sent ${place?.offset} in the place of ${expected}`);
  });
}
