// A socket that crashes, and a client that does not answer the close it is told of that with.
import { startSupervisor, withSystem } from "sluice";
import { endpoint } from "sluice/channels";
import { attach } from "sluice/telemetry";
import { manualClock } from "sluice/testing";
import { expect, it } from "vitest";
import { processes } from "../../src/process/internal.ts";
import { until } from "./support/clients.ts";
import { PollClient } from "./support/polls.ts";
import { RawLine } from "./support/raw-line.ts";

it("whose endpoint stops is cut off with it: neither its line nor a timer is left", () =>
  withSystem(async (system) => {
    using _quiet = attach("sluice.log", () => {});
    const web = endpoint("web");
    const sockets = { "/socket": { connect: () => ({}), channels: [] } };
    await using app = await startSupervisor({
      strategy: "one_for_one",
      children: { web: web.child({ port: 0, sockets }) },
    });
    const { url } = await app.children.web.call.address();
    await using client = await RawLine.open(url);
    const table = [...system.get(processes)];
    table.find(({ plan }) => plan.label === "socket")!.kill("killed");
    await until(() => client.frames.length > 0);
    expect(client.frames[0]!.payload.readUInt16BE()).toBe(1011);
    expect(client.isEnded).toBe(false);
    await app.stop();
    expect(system.wheel.size).toBe(0);
    await until(() => client.isEnded);
  }));

it("whose client polls no more is let go with what it was told last, when that has waited for 5 s", async () => {
  const clock = manualClock();
  await withSystem(
    async (system) => {
      using _quiet = attach("sluice.log", () => {});
      const web = endpoint<{ room: {} }>("web");
      const channels = [web.channel("room", { join: () => ({ assigns: {} }) })];
      const sockets = { "/socket": { connect: () => ({}), channels, longPoll: true } };
      await using app = await startSupervisor({
        strategy: "one_for_one",
        children: { web: web.child({ port: 0, sockets }) },
      });
      const { url } = await app.children.web.call.address();
      const clients = [new PollClient(url), new PollClient(url)];
      for (const client of clients) {
        await client.open();
        await client.post(["1", "1", "room", "phx_join", {}]);
      }
      await clock.quiet();
      const table = [...system.get(processes)];
      for (const cell of table) if (cell.plan.label === "socket") cell.kill("killed");
      await clock.advance(4_000);
      const reply = ["1", "1", "room", "phx_reply", { status: "ok", response: {} }];
      expect(await clients[0]!.poll()).toMatchObject({ status: 200, messages: [reply] });
      await clock.advance(3_000);
      expect(system.wheel.size).toBe(0);
      expect(await clients[1]!.poll()).toMatchObject({ status: 410 });
      // That answer has begun a session, which the endpoint takes leave of.
      const stopped = app.stop();
      await clock.advance(5_000);
      await stopped;
    },
    { clock },
  );
});
