import { describe, expect, it } from "vitest";
import { limitsOf } from "../limits.ts";
import type { SocketProcess } from "../socket/socket-process.ts";
import { SocketIds } from "./socket-ids.ts";

/** A socket, as far as it is looked at here. */
function someone(id: string): SocketProcess & { readonly closed: readonly number[] } {
  const closed: number[] = [];
  return { id, closed, client: { close: (code: number) => void closed.push(code) } } as never;
}

describe("SocketIds", () => {
  it("knows whose id was disconnected while its `connect` ran, in one turn or several (C9)", () => {
    const ids = new SocketIds(limitsOf({}));
    const [slow, quick, other] = [someone("1"), someone("1"), someone("2")];
    ids.connecting(slow);
    ids.waits(slow);
    ids.connecting(other);
    ids.waits(other);
    ids.connecting(quick);
    expect([slow, quick, other].map((one) => ids.wasDisconnected(one))).toEqual([
      false,
      false,
      false,
    ]);
    ids.disconnect("1");
    expect([slow, quick, other].map((one) => ids.wasDisconnected(one))).toEqual([
      true,
      true,
      false,
    ]);
  });

  it("knows it of one who was disconnected before it had to wait, and of nobody who came later (C9)", () => {
    const ids = new SocketIds(limitsOf({}));
    const [first, later] = [someone("1"), someone("1")];
    ids.connecting(first);
    ids.disconnect("1");
    ids.waits(first);
    ids.connecting(later);
    expect([ids.wasDisconnected(first), ids.wasDisconnected(later)]).toEqual([true, false]);
  });

  it("closes who is connected, 1001, and forgets who has gone (C9)", () => {
    const ids = new SocketIds(limitsOf({}));
    const [here, gone] = [someone("1"), someone("1")];
    for (const socket of [here, gone]) {
      ids.connecting(socket);
      ids.add(socket);
    }
    ids.remove(gone);
    ids.disconnect("1");
    expect([here.closed, gone.closed]).toEqual([[1001], []]);
  });
});
