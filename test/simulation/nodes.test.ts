import { Socket } from "phoenix";
import { describe, expect, it } from "vitest";
import { startSupervisor } from "sluice";
import { endpoint } from "sluice/channels";
import { pubsub, topic } from "sluice/pubsub";
import { attach } from "sluice/telemetry";
import {
  memoryHub,
  memoryTransport,
  simulate,
  type MemoryNode,
  type Simulation,
} from "sluice/testing";

interface Topics {
  room: { out: { news: { readonly n: number } } };
}
const web = endpoint<Topics>("web");
const extra = topic<{ readonly n: number }>("extra");
const room = web.channel("room", {
  join: () => ({ assigns: {} }),
  subscribe: () => [extra],
  info: ({ n }, channel) => channel.push("news", { n: -n }),
});

const served = (node: MemoryNode) =>
  node.run(() =>
    startSupervisor({
      strategy: "rest_for_one",
      children: {
        pubsub: pubsub({ adapter: node.adapter, confirmMs: 200 }),
        web: web.child({
          port: 4000,
          sockets: { "/socket": { connect: () => ({}), channels: [room] } },
        }),
      },
    }),
  );

/** A client that joins while another node speaks, one number each ms: what it heard, and what had been said by when. */
async function joiner(simulation: Simulation, cutMs = 0) {
  using _log = attach("sluice.log", () => {});
  const hub = memoryHub({ maxDelayMs: 40 });
  const [here, there] = [hub.node(), hub.node()];
  await using _here = await served(here);
  await using _there = await served(there);
  let said = 0;
  const say = async (ms: number): Promise<void> => {
    const until = said + ms;
    while (said < until) {
      said++;
      here.system.of(web).broadcast("room", "news", { n: said });
      here.system.of(extra).broadcast({ n: said });
      await simulation.advance(1);
    }
  };
  const transport = memoryTransport(there.system) as unknown as typeof WebSocket;
  const socket = new Socket("ws://localhost:4000/socket", { transport });
  socket.connect();
  await say(50 + simulation.random() * 50);
  const channel = socket.channel("room", {});
  const heard: number[] = [];
  let repliedAt: { readonly heard: number; readonly said: number } | undefined;
  channel.on("news", ({ n }: { readonly n: number }) => void heard.push(n));
  if (cutMs > 0) there.cut();
  channel.join().receive("ok", () => (repliedAt = { heard: heard.length, said }));
  await say(cutMs === 0 ? 300 : cutMs);
  await simulation.advance(200);
  await new Promise<void>((resolve) => socket.disconnect(resolve));
  return { heard, said, repliedAt };
}

describe("a join on one of several nodes", () => {
  it("hears nothing before its reply, and misses nothing of what any node says after it (C30)", async () => {
    const report = await simulate(
      async (simulation) => {
        const { heard, said, repliedAt } = await joiner(simulation);
        expect(repliedAt?.heard).toBe(0);
        for (const numbers of [
          heard.filter((n) => n > 0),
          heard.filter((n) => n < 0).map((n) => -n),
        ]) {
          const first = numbers[0]!;
          // It may begin with what was under way, and never later than right after the reply.
          expect(first).toBeLessThanOrEqual(repliedAt!.said + 1);
          expect(numbers).toEqual(
            Array.from({ length: said - first + 1 }, (_, nth) => first + nth),
          );
        }
      },
      { seeds: 40 },
    );
    expect(report.summary).toContain("40");
  });

  it("is answered after confirmMs when the broker says nothing", async () => {
    await simulate(
      async (simulation) => {
        const { heard, repliedAt } = await joiner(simulation, 400);
        expect(repliedAt).toBeDefined();
        expect(heard).toEqual([]);
      },
      { seeds: 5 },
    );
  });
});
