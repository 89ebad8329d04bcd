import { expect, it } from "vitest";
import { Bus } from "./bus.ts";

it("a listener that throws keeps no later one from hearing; whoever broadcasts is told of the first (C67)", () => {
  const bus = new Bus();
  const heard: string[] = [];
  const listener = (name: string, failure?: Error) => ({
    hear(message: unknown): void {
      if (failure !== undefined) throw failure;
      heard.push(`${name} ${String(message)}`);
    },
  });
  bus.subscribe("t", listener("a"));
  bus.subscribe("t", listener("b", new Error("first")));
  bus.subscribe("t", listener("c", new Error("second")));
  bus.subscribe("t", listener("d"));
  expect(() => bus.broadcast("t", 1)).toThrow("first");
  expect(heard).toEqual(["a 1", "d 1"]);
});

it("a broadcast tells how many hear it on this node, and hands each the same message (C72, C73)", () => {
  const bus = new Bus();
  const heard: unknown[] = [];
  const listeners = Array.from({ length: 100 }, () => ({
    hear: (message: unknown) => void heard.push(message),
  }));
  const subscriptions = listeners.map((listener) => bus.subscribe("t", listener));
  const message = {};
  expect(bus.broadcast("t", message)).toBe(100);
  expect(heard.length).toBe(100);
  expect(heard.every((one) => one === message)).toBe(true);
  for (const subscription of subscriptions.slice(1)) subscription[Symbol.dispose]();
  expect([bus.broadcast("t", message), bus.broadcast("u", message)]).toEqual([1, 0]);
  expect(bus.unreached).toBe(1);
});
