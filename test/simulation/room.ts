import { Socket } from "phoenix";
import { startSupervisor } from "sluice";
import { endpoint } from "sluice/channels";
import { attach } from "sluice/telemetry";
import { memoryTransport, type Simulation } from "sluice/testing";
import { judge } from "./judge.ts";

interface Topics {
  room: { out: { news: { readonly n: number } } };
}

/** Clients that come and go: who is there hears each broadcast once and in order, whoever else leaves. */
export async function room(simulation: Simulation): Promise<void> {
  using _silent = attach("sluice.log", () => {});
  simulation.calm();
  const { random, advance } = simulation;
  const fail = judge(simulation);
  const web = endpoint<Topics>("web");
  const channel = web.channel("room", { join: () => ({ assigns: {} }) });
  await using _app = await startSupervisor({
    strategy: "one_for_one",
    children: {
      web: web.child({
        port: 4000,
        sockets: { "/socket": { connect: () => ({}), channels: [channel] } },
      }),
    },
  });
  const transport = memoryTransport() as unknown as typeof WebSocket;
  const clients = [1, 2, 3].map(() => {
    const socket = new Socket("ws://localhost:4000/socket", { transport });
    socket.connect();
    const joined = socket.channel("room", {});
    const heard: number[] = [];
    joined.on("news", ({ n }: { readonly n: number }) => void heard.push(n));
    joined.join();
    return { socket, joined, heard };
  });
  await advance(100);
  const leavesAt = Math.floor(random() * 10);
  for (let n = 0; n < 20; n++) {
    if (n === leavesAt) clients[0]!.joined.leave();
    web.broadcast("room", "news", { n });
    if (random() < 0.5) await advance(random() * 5);
  }
  await advance(100);
  const all = Array.from({ length: 20 }, (_, n) => n).join();
  for (const { heard } of clients.slice(1))
    if (heard.join() !== all) fail(`a client heard ${heard.join()}`);
  const early = clients[0]!.heard;
  if (early.join() !== early.toSorted((x, y) => x - y).join() || early.length > leavesAt + 1)
    fail(`who left at ${leavesAt} heard ${early.join()}`);
  await Promise.all(
    clients.map(({ socket }) => new Promise<void>((resolve) => socket.disconnect(resolve))),
  );
}
