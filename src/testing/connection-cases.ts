import { deepEqual, ok, rejects } from "node:assert/strict";
import type { AdapterCase } from "./adapter-suite.ts";
import { until, type Wired } from "./adapter-bench.ts";

/** Topics that a broker could take for something else. */
const oddTopics: readonly string[] = [
  "t/",
  " ",
  "a b",
  "*",
  ">",
  "a.*",
  "a.>",
  "a.b",
  "a",
  "b",
  "A",
  "a..b",
  ".",
  "..",
  "$SYS.x",
  "_INBOX.x",
  "[a-z]?",
  "\\",
  "/",
  "a/b",
  "a:b",
  "ünï ☃",
  "u\u0308ni",
  "\u{1f600}",
  "a\nb",
  "a\r\nb",
  "a\tb",
  "a\u0000b",
  "'; drop table t; --",
  '"quoted"',
  "%41",
  "=41",
  "~x",
  "x".repeat(255),
  "x".repeat(2_000),
  "é".repeat(2_000),
];

const oddTexts: readonly string[] = [
  "",
  "\n",
  "\r\n",
  " ",
  '"\\',
  "'; drop table t; --",
  "ünï ☃ \u{1f600}",
  "\u0001\u001f\u007f",
  "+OK",
  "$6\r\nfoobar\r\n",
];

/** Sends a last word on a topic that all hear: what was sent before has arrived, or will not. */
async function settle(from: Wired, hearers: readonly Wired[], topic: string): Promise<void> {
  const last = `last word ${Math.trunc(hearers[0]!.texts.length)}`;
  await from.connection.publish(topic, last);
  for (const { texts } of hearers) await until(last, () => texts.includes(last));
  for (const { texts } of hearers) texts.splice(texts.indexOf(last), 1);
}

const numbers = (count: number, prefix = ""): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);

/** Connections by themselves. */
export const connectionCases: readonly AdapterCase[] = [
  {
    name: "L113, C68: carries a message to every connection that has subscribed, once, and to no other",
    async body(bench) {
      const [from, one, two, other] = await Promise.all(numbers(4).map(() => bench.wire()));
      await one!.connection.subscribe(["t", "end"]);
      await two!.connection.subscribe(["t", "end"]);
      await other!.connection.subscribe(["u", "end"]);
      for (const text of numbers(10)) await from!.connection.publish("t", text);
      await settle(from!, [one!, two!, other!], "end");
      deepEqual([one!.texts, two!.texts, other!.texts], [numbers(10), numbers(10), []]);
      deepEqual(from!.texts, []);
    },
  },
  {
    name: "C69, C70: keeps the order of one connection on one topic, also of a burst that nobody waits for",
    async body(bench) {
      const hearer = await bench.wire();
      const senders = await Promise.all(numbers(3).map(() => bench.wire()));
      await hearer.connection.subscribe(["t"]);
      const count = 300;
      await Promise.all(
        senders.flatMap(({ connection }, nth) =>
          numbers(count, `${nth}:`).map((text) => connection.publish("t", text)),
        ),
      );
      await until("all of them", () => hearer.texts.length >= senders.length * count);
      for (const nth of senders.keys())
        deepEqual(
          hearer.texts.filter((text) => text.startsWith(`${nth}:`)),
          numbers(count, `${nth}:`),
        );
    },
  },
  {
    name: "confirms a subscription only when nothing that is published from then on is missed",
    async body(bench) {
      const from = await bench.wire();
      const hearer = await bench.wire();
      for (let nth = 0; nth < 50; nth++) {
        await hearer.connection.subscribe([`t${nth}`]);
        await from.connection.publish(`t${nth}`, `m${nth}`);
      }
      await until("all of them", () => hearer.texts.length >= 50);
      deepEqual(hearer.texts, numbers(50, "m"));
    },
  },
  {
    name: "takes any topic for itself alone: spaces, wildcards, dots, any script, any length",
    async body(bench) {
      const from = await bench.wire();
      const all = await bench.wire();
      const star = await bench.wire();
      await all.connection.subscribe([...oddTopics, "end"]);
      await star.connection.subscribe(["*", ">", "a.*", "end"]);
      for (const topic of oddTopics)
        await from.connection.publish(topic, JSON.stringify({ topic }));
      await settle(from, [all, star], "end");
      const texts = (topics: readonly string[]): string[] =>
        topics.map((topic) => JSON.stringify({ topic })).toSorted();
      deepEqual(all.texts.toSorted(), texts(oddTopics));
      deepEqual(star.texts.toSorted(), texts(["*", ">", "a.*"]));
    },
  },
  {
    name: "carries any text as it is, and up to the largest message that it names, in bytes of UTF-8",
    async body(bench) {
      const from = await bench.wire();
      const hearer = await bench.wire();
      await hearer.connection.subscribe(["t"]);
      const bytes = Math.min(from.connection.maxMessageBytes, 2 ** 20);
      ok(bytes >= 1_024, `a broker that takes ${bytes} bytes`);
      const large = ["x".repeat(bytes), "é".repeat(Math.floor(bytes / 2))];
      const texts = [...oddTexts, ...large];
      for (const text of texts) await from.connection.publish("t", text);
      await until("all of them", () => hearer.texts.length >= texts.length);
      for (const [nth, text] of texts.entries())
        ok(hearer.texts[nth] === text, `text ${nth} differs: ${hearer.texts[nth]?.slice(0, 80)}`);
    },
  },
  {
    name: "subscribes to many topics at once, and hears each no more when it has unsubscribed",
    async body(bench) {
      const from = await bench.wire();
      const hearer = await bench.wire();
      const topics = numbers(500, "many ");
      await hearer.connection.subscribe([...topics, "end"]);
      for (const topic of topics) await from.connection.publish(topic, topic);
      await until("all of them", () => hearer.texts.length >= topics.length);
      deepEqual(hearer.texts.splice(0).toSorted(), topics.toSorted());
      for (const topic of topics.slice(1)) hearer.connection.unsubscribe(topic);
      // Calls take effect in their order.
      await hearer.connection.subscribe(["later"]);
      for (const topic of topics) await from.connection.publish(topic, topic);
      await settle(from, [hearer], "end");
      deepEqual(hearer.texts, topics.slice(0, 1));
    },
  },
  {
    name: "takes subscribing, unsubscribing and subscribing again in the order of the calls",
    async body(bench) {
      const from = await bench.wire();
      const hearer = await bench.wire();
      const { connection } = hearer;
      for (let round = 0; round < 10; round++) {
        const first = connection.subscribe(["t"]);
        connection.unsubscribe("t");
        await Promise.all([first, connection.subscribe(["t"])]);
        await from.connection.publish("t", `on ${round}`);
        await until("the message", () => hearer.texts.length > 0);
        deepEqual(hearer.texts.splice(0), [`on ${round}`]);
        connection.unsubscribe("t");
        await connection.subscribe(["end"]);
        await from.connection.publish("t", `off ${round}`);
        await settle(from, [hearer], "end");
        deepEqual(hearer.texts.splice(0), []);
        connection.unsubscribe("end");
      }
    },
  },
  {
    name: "sends what was published before it closes; then it hears nothing, tells nothing, and publishes nothing",
    async body(bench) {
      const hearer = await bench.wire();
      await hearer.connection.subscribe(["t"]);
      const leaver = await bench.wire();
      await leaver.connection.subscribe(["t"]);
      const published = numbers(100).map((text) => leaver.connection.publish("t", text));
      const closed = leaver.connection.close();
      await Promise.allSettled(published);
      await closed;
      await leaver.connection.close();
      await until("what was published", () => hearer.texts.length >= 100);
      deepEqual(hearer.texts, numbers(100));
      const heard = leaver.texts.length;
      await rejects(leaver.connection.publish("t", "late"));
      await rejects(leaver.connection.subscribe(["u"]));
      leaver.connection.unsubscribe("t");
      const other = await bench.wire();
      await other.connection.publish("t", "after");
      await until("what others publish", () => hearer.texts.includes("after"));
      deepEqual([leaver.texts.length, leaver.lost], [heard, []]);
    },
  },
  {
    name: "aborted, it ends at once, settles what it was asked, and tells nothing; others go on",
    async body(bench) {
      const [hearer, leaver] = [await bench.wire(), await bench.wire()];
      await hearer.connection.subscribe(["t"]);
      const asked = [
        ...numbers(3).map((text) => leaver.connection.publish("u", text)),
        leaver.connection.subscribe(["v"]),
      ];
      leaver.connection.abort();
      leaver.connection.abort();
      await Promise.allSettled(asked);
      await rejects(leaver.connection.publish("t", "late"));
      await leaver.connection.close();
      const other = await bench.wire();
      await other.connection.publish("t", "after");
      await until("what others publish", () => hearer.texts.length > 0);
      deepEqual([hearer.texts, leaver.lost], [["after"], []]);
    },
  },
  {
    name: "does not connect when it is not wanted any more",
    async body(bench) {
      const reason = new Error("not wanted");
      await rejects(bench.wire(AbortSignal.abort(reason)));
      const abort = new AbortController();
      const connecting = bench.wire(abort.signal);
      abort.abort(reason);
      await rejects(connecting);
    },
  },
];
