// A9: right recipients (topic and join), fast (no task per event), durable as needed (swap the source),
// bounded (concurrency), measurable (latency from emission to the client's socket).
import { child, from, name, run, sleep, type Producer } from "sluice";
import { Refused, endpoint } from "sluice/channels";
import { pipeline } from "sluice/pipeline";
import { attach } from "sluice/telemetry";

interface Order {
  readonly id: number;
  readonly buyer: number;
  readonly total: number;
}
interface Notice {
  readonly buyer: number;
  readonly text: string;
}
interface Topics {
  "buyer:*": { out: { notice: Notice } };
}

const orders = name<Producer<Order>>("orders");
const web = endpoint<Topics, { buyer: string }>("web");
const buyers = new Map([["a secret", "7"]]);
const archive: Notice[] = [];

async function* incoming(signal: AbortSignal): AsyncGenerator<Order> {
  for (let id = 1; ; id++) {
    await sleep(10, signal);
    yield { id, buyer: id % 100, total: (id * 7) % 2_000 };
  }
}
const buyerChannel = web.channel("buyer:*", {
  join(_params, { key, socket }) {
    if (key !== socket.assigns.buyer) throw new Refused({ reason: "unauthorized" });
    return { assigns: {} };
  },
});

function connect({ token = "" }: Readonly<Record<string, string>>): { buyer: string } {
  const buyer = buyers.get(token);
  if (!buyer) throw new Refused({ reason: "unauthorized" });
  return { buyer };
}

attach("sluice.delivery.stop", ({ topic, latencyMs }) => console.info(topic, latencyMs));

await run({
  strategy: "rest_for_one",
  children: {
    orders: child(
      from(({ signal }) => incoming(signal)),
      { name: orders },
    ),
    delivery: pipeline({
      source: orders,
      processors: {
        concurrency: 8,
        partitionBy: (order) => order.buyer,
        handle(order, message): Notice {
          if (order.total === 0) throw new RangeError(`order ${order.id}`);
          message.to(order.total > 1_000 ? "archive" : "browser", order.buyer);
          return { buyer: order.buyer, text: `order ${order.id}` };
        },
      },
      batchers: {
        browser: {
          size: 50,
          timeoutMs: 10,
          handle: (batch) =>
            batch.forEach((notice) => web.broadcast(`buyer:${notice.buyer}`, "notice", notice)),
        },
        archive: {
          size: 500,
          timeoutMs: 1_000,
          concurrency: 2,
          handle: (batch) => void archive.push(...batch),
        },
      },
      handleFailed: (failed) => console.warn(failed),
      drainTimeoutMs: 20_000,
    }),
    endpoint: web.child({
      port: 4000,
      sockets: { "/socket": { connect, channels: [buyerChannel] } },
    }),
  },
});
