import { startSupervisor, topology } from "sluice";
import { endpoint } from "sluice/channels";
import { simulate, testClient } from "sluice/testing";
import { expect, it } from "vitest";

interface Topics {
  "room:*": { out: { news: object } };
}

it("the sockets of an endpoint and their channels are listed in the topology, as long as they are there (C18, L111)", async () => {
  await simulate(
    async ({ quiet }) => {
      const web = endpoint<Topics>("web");
      const room = web.channel("room:*", { join: () => ({ assigns: {} }) });
      await using app = await startSupervisor({
        strategy: "one_for_one",
        children: {
          web: web.child({
            port: 0,
            sockets: { "/socket": { connect: () => ({}), channels: [room] } },
          }),
        },
      });
      const listed = (): string[] => {
        const { nodes } = topology(app);
        const labels = new Map(nodes.map(({ pid, label }) => [pid, label]));
        return nodes.slice(1).map(({ label, parent }) => `${label} of ${labels.get(parent!)}`);
      };
      expect(listed()).toEqual(["web of supervisor"]);
      const ada = await testClient(web);
      const bob = await testClient(web);
      const first = await ada.join("room:1", {});
      await ada.join("room:2", {});
      const channel = "channel room:* of socket";
      expect(listed()).toEqual([
        "web of supervisor",
        "socket of web",
        channel,
        channel,
        "socket of web",
      ]);
      await first.leave();
      await bob.close();
      await quiet();
      expect(listed()).toEqual(["web of supervisor", "socket of web", channel]);
      await ada.close();
      await quiet();
      expect(listed()).toEqual(["web of supervisor"]);
    },
    { seeds: 5 },
  );
});
