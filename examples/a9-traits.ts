// A9: the five traits. Right recipients (topic and join), fast (no task per event), as durable as needed (swap the source),
// bounded (demand), measurable (latency from the entry into the pipeline to the client's socket).
import { child, from, map, name, run, sleep, type Producer, type ProducerConsumer } from "sluice";
import { Refused, endpoint } from "sluice/channels";
import { deliveryFigures, sink } from "sluice/delivery";

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
const notices = name<ProducerConsumer<Order, Notice>>("notices");
const web = endpoint<Topics, { buyer: string }>("web");
const buyers = new Map([
  ["secret of 1", "1"],
  ["secret of 2", "2"],
  ["secret of 3", "3"],
]);

async function* incoming(signal: AbortSignal): AsyncGenerator<Order> {
  for (let id = 1; ; id++) {
    await sleep(10, signal);
    yield { id, buyer: 1 + (id % 3), total: (id * 7) % 2_000 };
  }
}

const notice = map(({ id, buyer, total }: Order): Notice => ({
  buyer,
  text: `order ${id}: ${total}`,
}));
const toBuyers = sink(web, (payload: Notice) => ({
  topic: `buyer:${payload.buyer}`,
  event: "notice",
  payload,
}));

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

await run(
  {
    strategy: "rest_for_one",
    children: {
      endpoint: web.child({
        port: Number(process.env["PORT"] ?? 4000),
        sockets: { "/socket": { connect, channels: [buyerChannel] } },
      }),
      orders: child(
        from(({ signal }) => incoming(signal)),
        { name: orders },
      ),
      notices: child(notice, { name: notices, subscribeTo: [{ to: orders, maxDemand: 10 }] }),
      toBuyers: child(toBuyers, { subscribeTo: [{ to: notices, maxDemand: 10 }] }),
    },
  },
  {
    async ready(app) {
      console.info(`serving ${(await app.children.endpoint.call.address()).url}`);
    },
  },
);
const { delivered, unheard, toSocket } = deliveryFigures(web);
console.info(`delivered ${delivered}, unheard ${unheard}, latencies ${toSocket.count}`);
