// The clients of the fan-out, in a process of their own: what the parent asks for is done, and answered with a result.
import { dialects, type Peer } from "./dialects.ts";
import { Client, clientFrame } from "./client.ts";

/** What the parent may ask for. */
export type Order =
  /** So many more clients. */
  | { readonly kind: "join"; readonly peer: Peer; readonly port: number; readonly clients: number }
  /** `messages` broadcasts to all clients, `window` of them at once and the next when all have come to all. */
  | { readonly kind: "flood"; readonly messages: number; readonly window: number }
  /** Requests, one at a time by each client. */
  | { readonly kind: "ask"; readonly requests: number };

/** What came of it. */
export interface Outcome {
  readonly ms: number;
  /** Of requests: each one's time. */
  readonly latenciesMs?: readonly number[];
}

const atOnce = 100;
const pad = "x".repeat(76);
const clients: Client[] = [];
let peer: Peer = "sluice";
let arrived = 0;
let onJoined = (): void => {};
let onFrame = (_client: Client, _n: number): void => {};

const heard = {
  joined: () => onJoined(),
  numbered: (client: Client, n: number) => onFrame(client, n),
  lost: (_: Client, why: string) => fail(`a connection was lost: ${why}`),
};

function fail(why: string): never {
  console.error(why);
  process.exit(1);
}

function join(port: number, count: number): Promise<void> {
  return new Promise((resolve) => {
    let started = 0;
    let joined = 0;
    const start = (): void => {
      if (started++ < count) clients.push(new Client(port, dialects[peer], heard));
    };
    onJoined = () => {
      if (++joined === count) resolve();
      else start();
    };
    for (let first = 0; first < Math.min(atOnce, count); first++) start();
  });
}

const payload = (n: number): string => `{"n":"${String(n).padStart(8, "0")}","pad":"${pad}"}`;
let published = 0;

/** Every client must hear every number, in order; the publisher is one of them. */
function flood(messages: number, window: number): Promise<void> {
  return new Promise((resolve) => {
    const last = published + messages;
    const publish = (): void => {
      const count = Math.min(window, last - published);
      const frames = Array.from({ length: count }, () =>
        clientFrame(dialects[peer].publish(payload(published++))),
      );
      arrived = count * clients.length;
      clients[0]!.send(Buffer.concat(frames));
    };
    for (const client of clients) client.last = published - 1;
    onFrame = (client, n) => {
      if (n < 0) return;
      if (n !== client.last + 1) fail(`${n} came after ${client.last}`);
      client.last = n;
      if (--arrived > 0) return;
      if (published < last) publish();
      else resolve();
    };
    publish();
  });
}

function ask(requests: number): Promise<number[]> {
  return new Promise((resolve) => {
    const latencies: number[] = [];
    const sentAt = new Map<Client, number>();
    let sent = 0;
    const next = (client: Client): void => {
      if (sent >= requests) return;
      sentAt.set(client, performance.now());
      client.send(clientFrame(dialects[peer].ask(sent++)));
    };
    onFrame = (client, n) => {
      // A broadcast of the flood that goes on beside.
      if (n >= 0) return;
      latencies.push(performance.now() - sentAt.get(client)!);
      if (latencies.length === requests) resolve(latencies);
      else next(client);
    };
    for (const client of clients) next(client);
  });
}

async function carryOut(order: Order): Promise<readonly number[] | undefined> {
  if (order.kind === "ask") return ask(order.requests);
  if (order.kind === "flood") await flood(order.messages, order.window);
  else {
    ({ peer } = order);
    await join(order.port, order.clients);
  }
  return undefined;
}

async function answer(order: Order): Promise<void> {
  const startedAt = performance.now();
  const latenciesMs = await carryOut(order);
  const ms = performance.now() - startedAt;
  process.send?.({ ms, ...(latenciesMs !== undefined && { latenciesMs }) } satisfies Outcome);
}

process.on("message", (order: Order) => void answer(order));
