// A socket that crashes, and a client that does not answer the close it is told of that with.
import { startSupervisor, withSystem } from "sluice";
import { endpoint } from "sluice/channels";
import { attach } from "sluice/telemetry";
import { expect, it } from "vitest";
import { processes } from "../../src/process/internal.ts";
import { until } from "./support/clients.ts";
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
