import { expect, it } from "vitest";
import { Bus } from "./bus.ts";

it("a listener that throws keeps no later one from hearing; whoever broadcasts is told of the first", () => {
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
