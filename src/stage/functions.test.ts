import { expect, it } from "vitest";
import { drain, run, start, startTask, task } from "../process/index.ts";
import {
  consumer,
  filter,
  flatMap,
  forEach,
  from,
  into,
  map,
  producer,
  stream,
  topology,
} from "./index.ts";
import { attach } from "../telemetry/index.ts";

const wrong = "fn" as never;

it.each(Object.entries({ producer, map, filter, flatMap, consumer, forEach, from, into, task }))(
  "%s says that it needs a function where it is called, not where the stage crashes",
  (name, make) => {
    expect(() => (make as (fn: never) => unknown)(wrong)).toThrow(
      `${name}: got "fn", expected a function`,
    );
  },
);

it("so does startTask, as a rejection", async () => {
  await expect(startTask(wrong)).rejects.toThrow('startTask: got "fn", expected a function');
});

it("options that nobody reads are refused by their name, wherever they are given", async () => {
  const typo = { timeout: 5 } as never;
  await using source = await start(from(() => [1]));
  await expect(drain(source, typo)).rejects.toThrow("drain: timeout: got 5, expected one of");
  expect(() => source.callWith(typo)).toThrow("callWith: timeout: got 5, expected one of");
  const tree = { strategy: "one_for_one", children: {} } as const;
  await expect(run(tree, typo)).rejects.toThrow("run: timeout: got 5, expected one of");
  for await (const one of stream(source)) expect(one).toBe(1);
});

it("what is no target, no event and no listener is named", () => {
  expect(() => topology(undefined as never)).toThrow("target: got undefined, expected a ref");
  expect(() => attach("sluice.stage.discard" as never, () => {})).toThrow(
    'attach: event: got "sluice.stage.discard", expected one of sluice.stage.discarded, ',
  );
  expect(() => attach("sluice.log", undefined as never)).toThrow("attach: listener: got undefined");
});
