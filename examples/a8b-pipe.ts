// A8b: `tail -f app.log | node a8b-pipe.ts`: lines to every browser that joined; whoever comes later gets the last hundred,
// and a slow one slows the reading, for five seconds at most. Ends when its input has ended and the last line is out.
import { createInterface } from "node:readline";
import { child, from, name, run, type Producer } from "sluice";
import { endpoint } from "sluice/channels";
import { sink } from "sluice/delivery";

interface Topics {
  lines: { out: { line: { readonly text: string } }; history: true };
}

const lines = name<Producer<string>>("lines");
const web = endpoint<Topics>("web");
const channel = web.channel("lines", {
  join: () => ({ assigns: {} }),
  history: { count: 100, onJoin: 100 },
});
const toBrowsers = sink(
  web,
  (text: string) => ({ topic: "lines", event: "line", payload: { text } }),
  { slow: "wait", maxWaitMs: 5_000 },
);

await run(
  {
    strategy: "rest_for_one",
    autoShutdown: "any_significant",
    children: {
      endpoint: web.child({
        port: Number(process.env["PORT"] ?? 4000),
        sockets: { "/socket": { connect: () => ({}), channels: [channel] } },
      }),
      lines: child(
        from(() => createInterface({ input: process.stdin })),
        { name: lines, restart: "transient" },
      ),
      toBrowsers: child(toBrowsers, {
        restart: "transient",
        significant: true,
        subscribeTo: [{ to: lines, maxDemand: 100 }],
      }),
    },
  },
  {
    async ready(app) {
      console.info(`serving ${(await app.children.endpoint.call.address()).url}`);
    },
  },
);
