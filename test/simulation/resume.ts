import { Socket, type Channel } from "phoenix";
import { startSupervisor } from "sluice";
import { endpoint, type HistoryEntry } from "sluice/channels";
import { resumable } from "sluice/client";
import { MemoryLog } from "sluice/store";
import { attach } from "sluice/telemetry";
import { memoryTransport, type Simulation } from "sluice/testing";
import { wiretap } from "./wiretap.ts";
import { FaultyLog } from "./faulty-log.ts";
import { judge } from "./judge.ts";

interface Topics {
  feed: {
    in: { boom(payload: object): void };
    out: { said: { readonly n: number } };
    history: true;
  };
}

/** One page: it ends when it is closed, and what it has stored is found by the next. */
interface Page {
  readonly socket: Socket;
  readonly channel: Channel;
  /** The last message comes once more. */
  readonly echo: () => void;
  readonly line: () => MemorySocket | undefined;
}

type MemorySocket = InstanceType<ReturnType<typeof memoryTransport>>;

/** What runs of it came to, for who wants to know that everything happened. */
export const seen = {
  resumed: 0,
  gap: 0,
  reset: 0,
  lost: 0,
  again: 0,
  reloads: 0,
  echoes: 0,
  messages: 0,
};

/**
 * Publishers, and clients that resume, through everything that goes wrong: a log that is slow and whose line breaks, lost
 * connections, crashing channels, handlers that throw, pages that are loaded again, a log whose topic is dropped. Each
 * client sees what the log has, once and in its order, and is told wherever something is missing.
 */
export async function resume(simulation: Simulation): Promise<void> {
  using _silent = attach("sluice.log", () => {});
  using _joined = attach("sluice.history.joined", ({ status }) => seen[status]++);
  using _lost = attach("sluice.history.lost", () => seen.lost++);
  simulation.calm();
  const { random, advance } = simulation;
  const fail = judge(simulation);
  const chance = { random, trouble: 0.03 };
  const count = random() < 0.3 ? 10 : 1_000;
  /** What the log has been given, in its order. */
  const truth: number[] = [];
  const store = new MemoryLog<HistoryEntry>({ count });
  using _truth = store.tail("feed", { last: 0 }, ({ entries }) => {
    for (const { payload } of entries) truth.push((JSON.parse(payload) as { n: number }).n);
  });

  const web = endpoint<Topics>("web");
  const feed = web.channel("feed", {
    schemas: "trusted",
    join: () => ({ assigns: {} }),
    history: { onJoin: 3, maxReplay: 50 },
    on: {
      boom() {
        throw new Error("boom");
      },
    },
  });
  await using _app = await startSupervisor({
    strategy: "one_for_one",
    children: {
      history: web.history({ log: () => new FaultyLog(store, chance) }),
      web: web.child({
        port: 4000,
        limits: { historyTimeoutMs: 500 },
        sockets: { "/socket": { connect: () => ({}), channels: [feed] } },
      }),
    },
  });

  const clients = [1, 2, 3].map(() => client(chance, simulation, truth, fail));
  let last = 0;
  for (let round = 0; round < 40; round++) {
    for (let more = Math.floor(random() * 4); more > 0; more--) {
      const n = ++last;
      if (random() < 0.5) web.broadcast("feed", "said", { n });
      else web.publish("feed", "said", { n }).catch(() => {});
    }
    const chosen = clients[Math.floor(random() * 3)]!;
    const what = random();
    if (what < 0.1) chosen.page().line()?.cut();
    else if (what < 0.15) chosen.page().channel.push("boom", {});
    else if (what < 0.2) chosen.reload();
    else if (what < 0.21) await store.drop("feed");
    // No server does it; a client that joined twice by mistake would see it.
    else if (what < 0.3) chosen.page().echo();
    if (random() < 0.7) await advance(random() * 300);
  }
  chance.trouble = 0;
  // The stock client waits for up to ten seconds before it joins again.
  await advance(30_000);
  await web.publish("feed", "said", { n: ++last });
  await advance(1_000);
  for (const { heard } of clients)
    if (heard.at(-1) !== last) fail(`a client came to ${heard.at(-1)}, not to ${last}`);
  seen.messages += clients.reduce((sum, { heard }) => sum + heard.length, 0);
  await Promise.all(clients.map(({ page }) => hungUp(page().socket)));
}

function client(
  chance: { readonly trouble: number },
  { random }: Simulation,
  truth: readonly number[],
  fail: (what: string) => void,
) {
  const kept = new Map<string, string>();
  const storage = {
    getItem: (key: string): string | null => kept.get(key) ?? null,
    setItem: (key: string, value: string): void => void kept.set(key, value),
  };
  const heard: number[] = [];
  let isTold = true;
  const said = ({ n }: { readonly n: number }): void => {
    if (random() < chance.trouble / 3) {
      seen.again++;
      throw new Error("a handler's own");
    }
    const before = heard.at(-1) ?? 0;
    if (n <= before) fail(`heard ${n} behind ${before}`);
    const at = truth.indexOf(n);
    if (at < 0) fail(`heard ${n}, which the log has not`);
    if (!isTold && truth[at - 1] !== before) fail(`heard ${n} right behind ${before}, untold`);
    isTold = false;
    heard.push(n);
  };
  const open = (): Page => {
    const transport = memoryTransport();
    const socket = new Socket("ws://localhost:4000/socket", {
      transport: transport as unknown as typeof WebSocket,
    });
    const channel = socket.channel("feed", {});
    wiretap(socket, fail);
    resumable(channel, { storage, lost: () => void (isTold = true), failed: () => {} });
    channel.on("said", said);
    channel.join();
    socket.connect();
    const line = (): MemorySocket | undefined => transport.sockets.at(-1);
    const echo = (): void => {
      const { offset = 0 } = JSON.parse(kept.get("sluice:feed") ?? "{}") as { offset?: number };
      if (offset === 0 || channel.state !== "joined") return;
      seen.echoes++;
      const payload = { n: -1, "~": { offset } };
      line()?.onmessage?.({ data: JSON.stringify([null, null, "feed", "said", payload]) });
    };
    return { socket, channel, line, echo };
  };
  let page = open();
  return {
    heard,
    page: () => page,
    reload(): void {
      seen.reloads++;
      // A page that was closed hears nothing more, whatever is still on its way.
      page.channel.off("said");
      page.channel.leave();
      page.socket.disconnect();
      page = open();
    },
  };
}

function hungUp(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.disconnect(resolve));
}
