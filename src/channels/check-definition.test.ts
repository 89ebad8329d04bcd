import { expect, it } from "vitest";
import { endpoint, fields, type Schema } from "./index.ts";

const web = endpoint<{}>("web");
/** Definitions that a compiler would refuse, as a program in JavaScript gives them. */
const define = (definition: unknown): unknown =>
  (web.channel as (pattern: string, definition: unknown) => unknown)("room:*", definition);
const join = (): object => ({ assigns: {} });
const say = (): void => {};
const schema: Schema<object> = {
  "~standard": { version: 1, vendor: "test", validate: () => ({ value: {} }) },
};

it.each([
  ["channel room:*", undefined, "got undefined, expected an object with its join"],
  ["channel room:*: join", {}, "got undefined, expected a function"],
  ["channel room:*: onn", { join, onn: {} }, "got {}, expected one of the options join"],
  ["channel room:*: leave", { join, leave: 5 }, "got 5, expected a function"],
  ["channel room:*: on.say", { join, on: { say: "x" }, schemas: "trusted" }, 'got "x", expected'],
  ["channel room:*: intercept", { join, intercept: say }, "got function say, expected an object"],
  ["channel room:*: slow", { join, slow: "drop" }, 'got "drop", expected "disconnect"'],
  ["channel room:*: slow", { join, slow: { latest: 1 } }, 'got {"latest":1}, expected'],
] as const)(
  "a definition is looked at before a client meets it: %s %j (C2)",
  (option, given, rest) => {
    expect(() => define(given)).toThrow(
      expect.objectContaining({
        code: "SLUICE_INVALID_OPTION",
        message: expect.stringContaining(`${option}: ${rest}`) as string,
      }),
    );
  },
);

it.each([
  ["schemas", undefined, "got undefined"],
  ["schemas", "trust", 'got "trust"'],
  ["schemas.join", { say: schema }, "got undefined"],
  ["schemas.say", { join: schema }, "got undefined"],
  ["schemas.say", { join: schema, say: {} }, "got {}"],
  ["schemas.toString", { join: schema, toString: 5, say: schema }, "got 5"],
] as const)(
  "no event is heard unchecked unless that is said: %s %j (C2)",
  (option, schemas, got) => {
    expect(() => define({ join, on: { say }, schemas })).toThrow(
      `channel room:*: ${option}: ${got}, expected a`,
    );
  },
);

it("a channel that subscribes has an `info` to hear it: nothing arrives unheard (L89)", () => {
  const subscribe = (): [] => [];
  expect(() => define({ join, subscribe })).toThrow(
    "channel room:*: info: got undefined, expected a function",
  );
  expect(define({ join, subscribe, info: () => {} })).toBeDefined();
});

it("schemas that are functions are schemas (C2)", () => {
  const callable = Object.assign(() => {}, schema);
  expect(define({ join, on: { say }, schemas: { join: callable, say: callable } })).toBeDefined();
});

it.each([
  ["fields: age", () => fields({ age: "int" as "number" }), 'got "int"'],
  ["endpoint", () => endpoint(undefined as never), "got undefined"],
  ["pattern", () => web.channel(undefined as never, { join } as never), "got undefined"],
  ["sockets", () => web.child({ port: 0 } as never), "got undefined"],
  [
    "sockets: /socket: channels",
    () =>
      web.child({ port: 0, sockets: { "/socket": { connect: () => ({}), channels: 5 as never } } }),
    "got 5",
  ],
  [
    "history: log2",
    () => web.history({ log: () => 1, log2: 1 } as never),
    "got 1, expected one of the options log, secrets, topics",
  ],
] as const)("what it stands on is named, too: %s (C2)", (option, make, rest) => {
  expect(make).toThrow(`${option}: ${rest}`);
});
