// Two nodes, one log on a real server: what is published on either comes to the clients of both, once and in one order.
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { describeOn } from "../../support/servers/on-server.ts";
import { score } from "../../scoreboard.ts";
import { until } from "../support/clients.ts";
import { HistoryClient, HistorySpeaker } from "./history-client.ts";
import { historyLog } from "./history-log.ts";
import { HistoryNode } from "./history-node.ts";

/** Comes back at once. */
const eager = { timeout: 5_000, reconnectAfterMs: () => 50, rejoinAfterMs: () => 50 };

const durable = {
  nats: [],
  redis: ["--appendfsync", "always"],
  postgres: ["-c", "fsync=on"],
} as const;

for (const kind of ["nats", "redis", "postgres"] as const)
  describeOn(
    kind,
    `history of two nodes in a log on ${kind}`,
    (server) => {
      it("comes to all clients once and in one order, through kills of the server and of a node, and nothing that a stranger writes into the log (R52, R59)", async () => {
        const nodes = [0, 1].map(() => new HistoryNode({ kind, url: server().url }));
        await using _first = nodes[0]!;
        await using _second = nodes[1]!;
        await Promise.all(nodes.map((node) => node.start()));
        const clients = nodes.flatMap((node) =>
          Array.from({ length: 5 }, () => new HistoryClient(node.url, "room:x", eager)),
        );
        const speaking = nodes.map((node) => new HistoryClient(node.url, "room:x", eager));
        using _sockets = new DisposableStack();
        for (const client of [...clients, ...speaking]) _sockets.use(client);
        await until(() => [...clients, ...speaking].every(({ isJoined }) => isJoined), 10_000);
        const speakers = speaking.map((client, n) => new HistorySpeaker(client, `node ${n}`));
        const speak = async (more: number): Promise<void> => {
          const before = speakers.map(({ acked }) => acked.length);
          await until(
            () => speakers.every(({ acked }, n) => acked.length >= before[n]! + more),
            20_000,
          );
        };

        await speak(20);
        await server().kill();
        await sleep(300);
        await server().start();
        await speak(20);
        await nodes[0]!.kill();
        await sleep(300);
        await nodes[0]!.start();
        await speak(20);
        await server().restart();
        await speak(20);
        await using stranger = historyLog(kind, server().url);
        const [signed] = (await stranger.last("room:x", 1)).entries;
        const payload = '{"text":"forged"}';
        for (const entry of [
          { event: "said", payload },
          { ...signed!, payload },
        ])
          await stranger.append("room:x", [entry]);
        await speak(20);
        await Promise.all(speakers.map((speaker) => speaker.end()));

        expect(signed?.proof).toBeDefined();
        const acked = speakers.flatMap((speaker) => speaker.acked);
        const late = new HistoryClient(nodes[1]!.url, "room:x", eager);
        _sockets.use(late);
        await until(
          () => late.isJoined && acked.every((text) => late.texts.includes(text)),
          20_000,
        );
        const all = [...clients, ...speaking];
        await until(() => all.every(({ texts }) => texts.length >= late.texts.length), 20_000);
        for (const { texts, lost } of all) {
          expect(texts).toEqual(late.texts);
          expect(lost).toBe(0);
        }
        expect(late.texts).not.toContain("forged");
        expect(new Set(late.texts).size).toBe(late.texts.length);
        const failures = speakers.reduce((sum, speaker) => sum + speaker.failures, 0);
        const said = `${acked.length} acknowledged on 2 nodes, ${failures} refused`;
        const figure = `${said}; ${all.length} clients: lost 0, doubled 0, reordered 0`;
        score("R52", `history in a log on ${kind}, through kills of it and of a node`, figure);
      }, 120_000);
    },
    { args: durable[kind] },
  );
