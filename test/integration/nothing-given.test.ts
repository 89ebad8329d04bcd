// What is called with nothing, or with something else, is refused by name: by no TypeError from somewhere inside.
import { stallDetector, taskStream, withSystem } from "sluice";
import { endpoint, fields } from "sluice/channels";
import { presence } from "sluice/presence";
import { topic, topics } from "sluice/pubsub";
import { MemoryLog } from "sluice/store";
import { testClient } from "sluice/testing";
import { describe, expect, it } from "vitest";

const web = endpoint("web");
const log = (): object => new MemoryLog();
/** By the option that is named: a call with something that is none. */
const calls: readonly (readonly [string, (wrong: never) => unknown])[] = [
  ["web", (wrong) => testClient(wrong)],
  ["fields", (wrong) => fields(wrong)],
  ["topic", (wrong) => topic(wrong)],
  ["topics", (wrong) => topics(wrong)],
  ["items", (wrong) => taskStream(wrong, () => 0)],
  ["work", (wrong) => taskStream([], wrong)],
  ["body", (wrong) => withSystem(wrong)],
  ["options of endpoint", (wrong) => web.child(wrong)],
  ["options of sockets: /s", (wrong) => web.child({ port: 0, sockets: { "/s": wrong } })],
  ["options of history", (wrong) => web.history(wrong)],
  ["history.topics", (topics) => web.history({ log, topics: topics ?? 5 } as never)],
];
/** Those that may be called with nothing. */
const bare: typeof calls = [
  ["options of stallDetector", (wrong) => stallDetector(wrong)],
  ["options of presence", (wrong) => presence("here").child(wrong)],
  ["options of MemoryLog", (wrong) => new MemoryLog(wrong)],
];
const wrong = [null, 5] as readonly unknown[] as readonly never[];

describe("what takes something", () => {
  it.each([
    ...calls.flatMap(([option, call]) =>
      [...wrong, undefined as never].map((one) => [option, one, call] as const),
    ),
    ...bare.flatMap(([option, call]) => wrong.map((one) => [option, one, call] as const)),
  ])("refuses by its name what is none: %s, %o", async (option, one, call) => {
    await expect((async () => call(one))()).rejects.toMatchObject({
      code: "SLUICE_INVALID_OPTION",
      details: { option },
    });
  });
});
