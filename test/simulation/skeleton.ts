import { Socket } from "phoenix";
import { child, consumerSupervisor, from, name, startSupervisor, type Producer } from "sluice";
import { endpoint } from "sluice/channels";
import { deliver, deliveryFigures } from "sluice/delivery";

interface Topics {
  lines: { out: { line: { readonly text: string } } };
}

/** The main job, as small as it gets: lines, a task for each, a joined client of the stock kind. */
export async function skeleton(
  lines: readonly string[],
  port: number,
  connect: (url: string) => Socket,
): Promise<{ readonly received: readonly string[]; readonly delivered: number }> {
  const source = name<Producer<string>>("source");
  const web = endpoint<Topics>("skeleton");
  const channel = web.channel("lines", { join: () => ({ assigns: {} }) });
  const joined = Promise.withResolvers<void>();
  const done = Promise.withResolvers<void>();
  const received: string[] = [];

  async function* gated(): AsyncGenerator<string> {
    await joined.promise;
    yield* lines;
  }
  const task = deliver(
    web,
    (text: string) => ({ topic: "lines", event: "line", payload: { text } }) as const,
  );
  await using app = await startSupervisor({
    strategy: "rest_for_one",
    children: {
      endpoint: web.child({
        port,
        sockets: { "/socket": { connect: () => ({}), channels: [channel] } },
      }),
      source: child(from(gated), { name: source, restart: "transient" }),
      deliver: consumerSupervisor(task, {
        restart: "temporary",
        subscribeTo: [{ to: source, maxDemand: 3, cancel: "temporary" }],
      }),
    },
  });
  const { url } = await app.children.endpoint.call.address();
  const socket = connect(`${url.replace("http", "ws")}/socket`);
  socket.connect();
  const client = socket.channel("lines", {});
  client.on("line", ({ text }: { text: string }) => {
    received.push(text);
    if (received.length === lines.length) done.resolve();
  });
  client.join().receive("ok", () => joined.resolve());
  await done.promise;
  await new Promise<void>((resolve) => socket.disconnect(resolve));
  return { received, delivered: deliveryFigures(web).delivered };
}
