import { expect, it } from "vitest";
import { endpoint } from "../channels/index.ts";
import { deliver, sink } from "./index.ts";

const web = endpoint<{ lobby: { out: { said: object } } }>("web");
const route = (): object => ({ topic: "lobby", event: "said", payload: {} });
const made = [
  ["sink", sink],
  ["deliver", deliver],
] as const;

it.each(
  made.flatMap(([what, make]) =>
    (
      [
        ["to", [undefined, route], "got undefined, expected an endpoint"],
        ["route", [web], "got undefined, expected a function"],
        ["slwo", [web, route, { slwo: "wait" }], 'got "wait", expected one of the options slow'],
        ["slow", [web, route, { slow: "weit" }], 'got "weit", expected "wait", "disconnect"'],
        ["maxWaitMs", [web, route, { maxWaitMs: "1s" }], 'got "1s", expected milliseconds'],
      ] as const
    ).map(([option, args, rest]) => [`${what}: ${option}`, make, args, rest] as const),
  ),
)(
  "what delivers is looked at before anything waits for it: %s (C2)",
  (option, make, args, rest) => {
    expect(() => (make as (...args: readonly unknown[]) => unknown)(...args)).toThrow(
      expect.objectContaining({
        code: "SLUICE_INVALID_OPTION",
        message: expect.stringContaining(`${option}: ${rest}`) as string,
      }),
    );
  },
);
