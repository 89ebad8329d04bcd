// A8: 50 pushes flow to the browser, five at once, a second each.
import { Producer, child, consumerSupervisor, name, run, sleep, type TaskContext } from "sluice";
import { Refused, endpoint, fields } from "sluice/channels";
import { deliver } from "sluice/delivery";
import type { Push, Topics } from "./a8-topics.ts";

class Inbox extends Producer<Push> {
  push(item: Push): Promise<void> {
    return this.offer([item]);
  }
}
const inbox = name<Inbox>("inbox");
const web = endpoint<Topics, { userId: string }>("web");
const users = new Map([["a secret", "1"]]);

const toBrowser = deliver(web, (push: Push) => ({
  topic: `user:${push.userId}`,
  event: "push",
  payload: push,
}));

async function work(push: Push, context: TaskContext): Promise<void> {
  await toBrowser(push, context);
  console.info(`pushed ${push.text}`);
  await sleep(1_000, context.signal);
}

const userChannel = web.channel("user:*", {
  schemas: { join: fields({ device: "string" }), ack: fields({ id: "string" }) },
  join(_params, { key, socket }) {
    if (key !== socket.assigns.userId) throw new Refused({ reason: "unauthorized" });
    return { assigns: { unread: 50 }, reply: { unread: 50 } };
  },
  on: {
    ack: (_ack, channel) => ({ unread: (channel.assigns.unread -= 1) }),
  },
});

await run(
  {
    strategy: "one_for_one",
    children: {
      inbox: child(Inbox, { name: inbox }),
      workers: consumerSupervisor(work, {
        restart: "temporary",
        subscribeTo: [{ to: inbox, maxDemand: 5 }],
      }),
      endpoint: web.child({
        port: Number(process.env["PORT"] ?? 4000),
        sockets: {
          "/socket": {
            connect({ token = "" }) {
              const userId = users.get(token);
              if (!userId) throw new Refused({ reason: "unauthorized" });
              return { userId };
            },
            id: ({ userId }) => `users:${userId}`,
            channels: [userChannel],
          },
        },
      }),
    },
  },
  {
    async ready(app) {
      console.info(`serving ${(await app.children.endpoint.call.address()).url}`);
      for (let n = 1; n <= 50; n++) await inbox.call.push({ userId: 1, text: `hello ${n}` });
    },
  },
);
