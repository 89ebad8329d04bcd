import { describe, expect, it } from "vitest";
import { startSupervisor } from "../../process/index.ts";
import { simulate, testClient } from "../../testing/index.ts";
import { endpoint } from "../endpoint.ts";

describe("endpoints that took free ports", () => {
  it("have one each, whichever of them comes and goes: a client reaches the one it names", () =>
    simulate(
      async () => {
        const served = async (key: string) => {
          const web = endpoint<{}>(key);
          const child = web.child({
            port: 0,
            sockets: { "/socket": { connect: () => ({}), channels: [] } },
          });
          const app = await startSupervisor({ strategy: "one_for_one", children: { web: child } });
          const { port } = await app.children.web.call.address();
          return { web, app, port };
        };
        const [first, second] = [await served("first"), await served("second")];
        await first.app.stop();
        const third = await served("third");
        expect(third.port).not.toBe(second.port);
        const client = await testClient(third.web);
        await second.app.stop();
        await client.heartbeat();
        await client.close();
        await third.app.stop();
      },
      { seeds: 3 },
    ));
});
