// Many clients on many topics, whose connections break at random, and an account of what each of them has seen.
import { Socket } from "phoenix";
import { startSupervisor, withSystem } from "sluice";
import { endpoint } from "sluice/channels";
import { resumable } from "sluice/client";
import { attach } from "sluice/telemetry";
import { expectErrors } from "./expected.ts";
import { startTcpProxy, type TcpProxy } from "./tcp-proxy.ts";

interface Topics {
  "feed:*": { out: { said: { readonly n: number } }; history: true };
}

/** How much of it. */
export interface LedgerSize {
  readonly clients: number;
  readonly topics: number;
  /** Topics that each client joins. */
  readonly joins: number;
  /** Messages on each topic. */
  readonly messages: number;
  readonly seed: number;
  /** Messages that each topic keeps: few, so that who is away for long is told of a gap. */
  readonly kept: number;
  /** Breaks connections while messages are published; returns when it is done with that. */
  readonly disturb: (proxy: TcpProxy, random: () => number, isOver: () => boolean) => Promise<void>;
}

/** What came of it. */
export interface Account {
  readonly delivered: number;
  /** Deliveries that never came, in sessions that were resumed, or that no `lost` told of. */
  readonly missed: number;
  readonly doubled: number;
  readonly reordered: number;
  /** How often clients were told that something is missing. */
  readonly lost: number;
  readonly resumed: number;
  readonly reconnects: number;
}

/** One client's account of one topic. */
class Book {
  last = 0;
  delivered = 0;
  missed = 0;
  doubled = 0;
  reordered = 0;
  lost = 0;
  #isTold = false;
  readonly #seen = new Set<number>();

  told(): void {
    this.lost++;
    this.#isTold = true;
  }

  said(n: number): void {
    this.delivered++;
    if (this.#seen.has(n)) this.doubled++;
    else if (n < this.last) this.reordered++;
    else if (n > this.last + 1 && !this.#isTold) this.missed += n - this.last - 1;
    this.#isTold = false;
    this.#seen.add(n);
    this.last = Math.max(this.last, n);
  }
}

/** Runs it, and gives the account when every client has come to the end of each of its topics. */
export function ledger(size: LedgerSize): Promise<Account> {
  const random = mulberry(size.seed);
  const web = endpoint<Topics>("ledger");
  const feed = web.channel("feed:*", {
    join: () => ({ assigns: {} }),
    history: { count: size.kept, maxReplay: size.kept, onJoin: size.kept },
  });
  return withSystem(async () => {
    using _errors = expectErrors();
    let resumed = 0;
    using _joined = attach("sluice.history.joined", ({ status }) => {
      if (status === "resumed") resumed++;
    });
    const many = { maxConnectionsPerAddress: size.clients * 4, connectionsPerSecond: 10_000 };
    await using app = await startSupervisor({
      strategy: "one_for_one",
      children: {
        web: web.child({
          port: 0,
          limits: { ...many, maxConnections: size.clients * 4 },
          sockets: { "/socket": { connect: () => ({}), channels: [feed] } },
        }),
      },
    });
    const { url } = await app.children.web.call.address();
    await using proxy = await startTcpProxy(url);
    const books: Book[] = [];
    let joined = 0;
    const sockets = Array.from({ length: size.clients }, (_, client) => {
      const socket = new Socket(`${proxy.url.replace("http", "ws")}/socket`, {
        reconnectAfterMs: () => 20 + random() * 100,
        rejoinAfterMs: () => 20 + random() * 100,
      });
      for (let more = 0; more < size.joins; more++) {
        const channel = socket.channel(`feed:${(client + more) % size.topics}`, {});
        const book = new Book();
        books.push(book);
        resumable(channel, { lost: () => book.told() });
        channel.on("said", ({ n }: { readonly n: number }) => book.said(n));
        let isNew = true;
        channel.join().receive("ok", () => {
          if (isNew) joined++;
          isNew = false;
        });
      }
      socket.connect();
      return socket;
    });
    await came(() => joined === books.length);
    let isOver = false;
    const disturbed = size.disturb(proxy, random, () => isOver);
    for (let n = 1; n <= size.messages; n++) {
      for (let at = 0; at < size.topics; at++) void web.publish(`feed:${at}`, "said", { n });
      await new Promise((resolve) => setTimeout(resolve, random() * 4));
    }
    isOver = true;
    await disturbed;
    await came(() => books.every(({ last }) => last === size.messages));
    const { connections } = proxy;
    for (const socket of sockets) socket.disconnect();
    const sum = (figure: (book: Book) => number): number =>
      books.reduce((all, book) => all + figure(book), 0);
    return {
      delivered: sum((book) => book.delivered),
      missed: sum((book) => book.missed),
      doubled: sum((book) => book.doubled),
      reordered: sum((book) => book.reordered),
      lost: sum((book) => book.lost),
      resumed,
      reconnects: connections - size.clients,
    };
  });
}

async function came(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`never came: ${String(holds)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Chance that follows from a seed. */
function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
