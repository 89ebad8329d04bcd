import { Socket } from "phoenix";
import { expect, it } from "vitest";
import { startSupervisor } from "sluice";
import { Refused, endpoint } from "sluice/channels";
import { memoryTransport, simulate } from "sluice/testing";

interface Topics {
  "user:*": { out: { push: { readonly text: string } }; history: true };
}

it("a client that may not join is handed nothing of the past, neither on joining nor on resuming", async () => {
  await simulate(
    async ({ quiet }) => {
      const web = endpoint<Topics, { readonly user: string }>("web");
      const channel = web.channel("user:*", {
        join(_params, { key, socket }) {
          if (key !== socket.assigns.user) throw new Refused({ reason: "unauthorized" });
          return { assigns: {} };
        },
        history: { count: 10, onJoin: 10 },
      });
      await using _app = await startSupervisor({
        strategy: "one_for_one",
        children: {
          web: web.child({
            port: 4000,
            sockets: { "/socket": { connect: ({ user = "" }) => ({ user }), channels: [channel] } },
          }),
        },
      });
      const transport = memoryTransport() as unknown as typeof WebSocket;
      const socketOf = (user: string): Socket =>
        new Socket("ws://localhost:4000/socket", { transport, params: { user } });
      const [mine, theirs] = [socketOf("1"), socketOf("2")];
      const heard: unknown[] = [];
      mine.onMessage((message) => void heard.push(message));
      mine.connect();
      theirs.connect();
      const first = await web.publish("user:2", "push", { text: "secret of 2" });

      const handed = await new Promise((resolve) =>
        theirs.channel("user:2", {}).join().receive("ok", resolve),
      );
      expect(JSON.stringify(handed)).toContain("secret of 2");
      for (const params of [{}, { since: { epoch: first.epoch, offset: 0 } }]) {
        const refused = mine.channel("user:2", params);
        await new Promise((resolve) => refused.join().receive("error", resolve));
        refused.leave();
      }
      await web.publish("user:2", "push", { text: "another secret of 2" });
      await quiet();
      expect(heard.length).toBeGreaterThan(1);
      expect(JSON.stringify(heard)).not.toContain("secret");
      await Promise.all(
        [mine, theirs].map((socket) => new Promise<void>((resolve) => socket.disconnect(resolve))),
      );
    },
    { seeds: 10 },
  );
});
