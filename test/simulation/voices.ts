import { startSupervisor } from "sluice";
import { endpoint, type Joined } from "sluice/channels";
import { memoryTransport, type Simulation } from "sluice/testing";
import { judge } from "./judge.ts";

interface Said {
  readonly n: number;
  readonly pad: string;
}
interface Voice {
  in: { speak(payload: { readonly script: string }): Said };
  out: { said: Said };
}
interface Topics {
  "strict:*": Voice;
  "lossy:*": Voice;
}

const topics = ["strict:1", "strict:2", "lossy:1"] as const;
type Topic = (typeof topics)[number];
type MemorySocket = InstanceType<ReturnType<typeof memoryTransport>>;

/** What runs of it came to, for who wants to know that everything happened. */
export const spoken = { pushes: 0, broadcasts: 0, replies: 0 };

/**
 * Clients that ask for several things at once, on several topics, and are answered now or later, among pushes and broadcasts
 * small and large: whatever goes out at once and whatever waits, each client hears everything that is for it, in the order in
 * which it was said (C42); one leaves, and hears no less of what was said before.
 */
export async function voices(simulation: Simulation): Promise<void> {
  simulation.calm();
  const { random, advance } = simulation;
  const fail = judge(simulation);
  const web = endpoint<Topics>("web");
  let last = 0;
  /** What each client is to hear. */
  const due: number[][] = [[], [], []];
  /** Something that these clients hear. */
  const word = (hearers: readonly number[]): Said => {
    last++;
    for (const at of hearers) due[at]!.push(last);
    return { n: last, pad: random() < 0.05 ? "x".repeat(random() * 50_000) : "" };
  };
  const all = due.map((_, at) => at);
  // One letter, one step: to itself (P), to all (B), to all others (F), to all on another topic (X), the answer later (L).
  const speak = (
    { script }: { readonly script: string },
    channel: Joined<Voice, { readonly at: number }, {}>,
    later: { readonly reply: (reply: Said) => void },
  ): Said | typeof later => {
    const { at } = channel.assigns;
    for (const step of script) {
      if (step === "P") channel.push("said", word([at]));
      else if (step === "B") channel.broadcast("said", word(all));
      else if (step === "F") channel.broadcastFrom("said", word(all.filter((one) => one !== at)));
      else if (step === "X") web.broadcast("strict:2", "said", word(all));
      if (step === "P") spoken.pushes++;
      else spoken.broadcasts++;
    }
    spoken.replies++;
    if (!script.includes("L")) return word([at]);
    channel.after(random() * 20, () => later.reply(word([at])));
    return later;
  };
  let joins = 0;
  const callbacks = {
    schemas: "trusted" as const,
    // They join one behind the other.
    join: () => ({ assigns: { at: Math.floor(joins++ / topics.length) } }),
    on: { speak: speak as never },
  };
  const channels = [
    web.channel("strict:*", callbacks),
    web.channel("lossy:*", { ...callbacks, slow: "dropOldest" }),
  ];
  await using _app = await startSupervisor({
    strategy: "one_for_one",
    children: {
      web: web.child({ port: 4000, sockets: { "/socket": { connect: () => ({}), channels } } }),
    },
  });
  const heard: number[][] = [];
  const sockets: MemorySocket[] = [];
  const Line = memoryTransport();
  for (const _ of due) {
    const socket = new Line("ws://localhost:4000/socket/websocket?vsn=2.0.0");
    const mine: number[] = [];
    socket.onmessage = ({ data }) => {
      const said = JSON.parse(data as string) as [unknown, unknown, Topic, string, object];
      const { n, response = {} } = said[4] as { n?: number; response?: { n?: number } };
      const number = n ?? response.n;
      if (number !== undefined) mine.push(number);
    };
    heard.push(mine);
    sockets.push(socket);
    await advance(10);
    for (const topic of topics) socket.send(JSON.stringify(["1", "1", topic, "phx_join", {}]));
    await advance(10);
  }
  const leaver = due.length - 1;
  const leavesAt = Math.floor(random() * 25);
  let heardUpTo = 0;
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!;
  const script = (): string =>
    Array.from({ length: Math.floor(random() * 4) }, () => pick(["P", "B", "F", "X", "L"])).join(
      "",
    );
  for (let round = 0; round < 25; round++) {
    if (round === leavesAt) {
      heardUpTo = last;
      for (const topic of topics)
        sockets[leaver]!.send(JSON.stringify(["1", "3", topic, "phx_leave", {}]));
    }
    const asking = round < leavesAt ? sockets : sockets.slice(0, leaver);
    for (let asks = Math.floor(random() * 4); asks > 0; asks--)
      pick(asking).send(JSON.stringify(["1", "2", pick(topics), "speak", { script: script() }]));
    if (random() < 0.3) web.broadcast(pick(topics), "said", word(all));
    await advance(random() * 5);
  }
  await advance(200);
  for (const [at, mine] of heard.entries()) {
    const heardHere = new Set(mine);
    const expected = due[at]!.filter((n) => at !== leaver || n <= heardUpTo || heardHere.has(n));
    const wrong = expected.findIndex((n, nth) => n !== mine[nth]);
    if (wrong >= 0 || mine.length > expected.length)
      fail(`client ${at} heard ${mine[wrong]} in the place of ${expected[wrong]}`);
  }
  for (const socket of sockets) socket.close();
  await advance(50);
}
