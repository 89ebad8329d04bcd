import { expect, it, vi } from "vitest";
import { endpoint, fields } from "../channels/index.ts";
import { Process, child, name, startSupervisor } from "../process/index.ts";
import { simulate, type SimulateOptions } from "./simulate.ts";
import { testClient } from "./test-client.ts";

class Worker extends Process {
  work(): void {}
}
const worker = name<Worker>("worker");
async function failing(): Promise<void> {
  await using _app = await startSupervisor({
    strategy: "one_for_one",
    maxRestarts: 100,
    children: { worker: child(Worker, { name: worker }) },
  });
  await worker.call.work();
}

it("with faults the log stands in the trace of a failure, and not on the console", async () => {
  const printed = vi.spyOn(console, "error").mockImplementation(() => {});
  const failure: unknown = await simulate(failing, { seeds: 1, faults: { crash: 1 } }).catch(
    (error: unknown) => error,
  );
  expect(String(failure)).toMatch(
    /CRASHES instead[^]*error: worker of supervisor#\d .*: crash: Error: a simulated crash/,
  );
  expect(printed).not.toHaveBeenCalled();
  printed.mockRestore();
});

it.each([
  ["faults: crsh", { seeds: 1, faults: { crsh: 1 } }],
  ["simulate: seed", { seed: 1 }],
  ["seeds", {}],
  ["seeds", undefined],
] as const)(
  "an option that nobody reads tests nothing, and is refused: %s",
  async (option, options) => {
    await expect(simulate(failing, options as never as SimulateOptions)).rejects.toThrow(
      `${option}: got `,
    );
  },
);

it("the trace says what is between a client, its socket and its channel in words", async () => {
  const web = endpoint<{ lobby: { in: { say(payload: { readonly text: string }): void } } }>("web");
  const lobby = web.channel("lobby", {
    schemas: { join: fields({}), say: fields({ text: "string" }) },
    join: () => ({ assigns: {} }),
    on: { say() {} },
  });
  const sockets = { "/socket": { connect: () => ({}), channels: [lobby] } };
  const failure: unknown = await simulate(
    async () => {
      await using _app = await startSupervisor({
        strategy: "one_for_one",
        children: { web: web.child({ port: 0, sockets }) },
      });
      await using client = await testClient(web);
      const topic = await client.join("lobby", {});
      await topic.push("say", { text: "hello" });
      throw new Error("far enough");
    },
    { seeds: 1 },
  ).catch((error: unknown) => error);
  const trace = String(failure);
  expect(trace).toContain("a client connects");
  expect(trace).toMatch(/socket#\d+ frame ".*phx_join/);
  expect(trace).toMatch(/channel lobby#\d+ join \{\} from socket/);
  expect(trace).toMatch(/channel lobby#\d+ event say \{"text":"hello"\} from socket/);
  expect(trace).not.toContain("undefined");
});
