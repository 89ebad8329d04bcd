// What the stock client makes of what a server says: its own rules, over real sockets.
import { Socket, type Channel } from "phoenix";
import { describe, expect, it } from "vitest";
import { hangUp, join, push, until } from "./support/clients.ts";
import { served } from "./support/rooms.ts";

const soon = (): number => 20;

/** A client that joins again soon. */
function stock(url: string): Socket {
  const socket = new Socket(`${url.replace("http", "ws")}/socket`, {
    rejoinAfterMs: soon,
    reconnectAfterMs: soon,
    timeout: 5_000,
  });
  socket.connect();
  return socket;
}

/** Counts the replies to a channel's joins. */
function joins(channel: Channel): { ok: number; error: number } {
  const counted = { ok: 0, error: 0 };
  channel
    .join()
    .receive("ok", () => counted.ok++)
    .receive("error", () => counted.error++);
  return counted;
}

describe("the stock client", () => {
  it("tries a join that was refused again (L124)", () =>
    served(async ({ url }) => {
      const socket = stock(url);
      const counted = joins(socket.channel("private"));
      await until(() => counted.error >= 3);
      expect(counted.ok).toBe(0);
      await hangUp(socket);
    }));

  it("joins again after phx_error, not after phx_close (L126, L79, L80)", () =>
    served(async ({ url }) => {
      const socket = stock(url);
      const [crashing, ending] = [socket.channel("room:1"), socket.channel("room:2")];
      const [crashed, ended] = [joins(crashing), joins(ending)];
      await until(() => crashed.ok === 1 && ended.ok === 1);
      let closes = 0;
      ending.onClose(() => void closes++);
      crashing.push("boom", {});
      ending.push("quit", {});
      await until(() => crashed.ok === 2 && closes === 1);
      crashing.push("boom", {});
      await until(() => crashed.ok === 3);
      expect(ended.ok).toBe(1);
      expect(ending.state).toBe("closed");
      await hangUp(socket);
    }));

  it("leaves a channel before it joins its topic again, and hears the new one alone (L125, L127)", () =>
    served(async ({ url, web }) => {
      const socket = stock(url);
      const first = await join(socket, "room:1");
      const second = await join(socket, "room:1");
      web.broadcast("room:1", "said", { text: "once" });
      await until(() => second.told.length === 1);
      expect(await push(second.channel, "say", { text: "twice" })).toEqual([
        "ok",
        { text: "twice" },
      ]);
      expect(second.told).toEqual([
        { event: "said", payload: { text: "once" } },
        { event: "said", payload: { text: "twice" } },
      ]);
      expect(first.told.filter(({ event }) => event === "said")).toEqual([]);
      expect(first.channel.state).toBe("closed");
      await hangUp(socket);
    }));

  it("says what was pushed before the join was answered, in order (L123, L128)", () =>
    served(async ({ url }) => {
      const socket = stock(url);
      const channel = socket.channel("room:1");
      joins(channel);
      const replies = ["a", "b", "c"].map((text) => push(channel, "say", { text }));
      expect(await Promise.all(replies)).toEqual([
        ["ok", { text: "a" }],
        ["ok", { text: "b" }],
        ["ok", { text: "c" }],
      ]);
      await hangUp(socket);
    }));
});
