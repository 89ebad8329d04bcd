// Presence on three nodes, programs of their own, behind each real broker; stock clients on all: R54.
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { Presence } from "phoenix";
import { expect, it } from "vitest";
import { hangUp, stockClient } from "../integration/support/clients.ts";
import { score } from "../scoreboard.ts";
import { describeOn } from "../support/servers/on-server.ts";
import { brokers } from "./brokers.ts";
import { until } from "./node-process.ts";
import { periods } from "./presence-periods.ts";

/** What a busy machine may add. */
const spareMs = 5_000;
const startsWithinMs = 100_000;

async function startNode(
  broker: string,
  url: string,
): Promise<{ child: ChildProcess; url: string }> {
  const file = join(import.meta.dirname, "presence-node.ts");
  const child = fork(file, [broker, url, `presence_${broker}`], {
    execArgv: ["--conditions=sluice-source"],
  });
  let said: string | undefined;
  child.on("message", (message) => (said = message as string));
  await until("a node", () => said !== undefined || child.exitCode !== null, startsWithinMs);
  if (said === undefined) throw new Error("the node ended");
  return { child, url: said };
}

/** A stock client of a node, with all that it was told of comings and goings. */
function user(url: string, as: string) {
  const socket = stockClient(url);
  const channel = socket.channel("room", { as });
  const presence = new Presence(channel);
  const changes: string[] = [];
  presence.onJoin((key) => void changes.push(`+${key}`));
  presence.onLeave((key) => void changes.push(`-${key}`));
  channel.join();
  const list = (): string =>
    presence
      .list((key: string) => key)
      .toSorted()
      .join();
  return { socket, list, changes };
}

for (const broker of brokers)
  describeOn(broker, `presence behind ${broker}`, (server) => {
    it(
      "all see all; a node that is told to end is gone at once, one that is killed within the down period, each for good (R54, C88, C110, C111, C115)",
      { timeout: 200_000 },
      async () => {
        const nodes = await Promise.all([1, 2, 3].map(() => startNode(broker, server().url)));
        const users = nodes.map(({ url }, n) => user(url, ["ann", "bob", "cat"][n]!));
        const [ann, bob, cat] = users as [(typeof users)[0], (typeof users)[0], (typeof users)[0]];
        try {
          await until(
            "all see all",
            () => users.every(({ list }) => list() === "ann,bob,cat"),
            30_000,
          );
          cat.socket.disconnect();
          await until("cat has left", () => ann.list() === "ann,bob" && bob.list() === "ann,bob");
          cat.socket.connect();
          await until("cat is back", () => users.every(({ list }) => list() === "ann,bob,cat"));
          for (const { changes } of users) changes.length = 0;

          const stopped = performance.now();
          nodes[2]!.child.kill("SIGTERM");
          await until("cat is gone", () => ann.list() === "ann,bob" && bob.list() === "ann,bob");
          const stopMs = performance.now() - stopped;
          expect(stopMs).toBeLessThan(periods.downMs + spareMs);
          score("R54", `${broker}: gone after SIGTERM`, `${Math.round(stopMs)} ms`);

          const killed = performance.now();
          nodes[1]!.child.kill("SIGKILL");
          await until("bob is gone", () => ann.list() === "ann", periods.downMs + spareMs);
          const killMs = performance.now() - killed;
          score(
            "R54",
            `${broker}: gone after SIGKILL`,
            `${Math.round(killMs)} ms of ${periods.downMs} ms`,
          );
          // Nothing of what was late brings anybody back.
          await new Promise((resolve) => setTimeout(resolve, 2 * periods.beatMs));
          expect(ann.changes).toEqual(["-cat", "-bob"]);
          score("R54", `${broker}: joins and leaves too many`, `${ann.changes.length - 2}`);
        } finally {
          await hangUp(...users.map(({ socket }) => socket));
          for (const { child } of nodes) {
            if (child.exitCode !== null || child.signalCode !== null) continue;
            child.kill("SIGKILL");
            await once(child, "exit");
          }
        }
      },
    );
  });
