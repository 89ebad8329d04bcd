import { startSupervisor, withSystem } from "sluice";
import { endpoint, type EndpointOptions, type SocketOptions } from "sluice/channels";
import { expectErrors } from "./expected.ts";

interface Topics {
  lobby: {
    join(params: object): void;
    in: { ask(payload: object): object };
    out: { said: object };
  };
}

/** An endpoint with a lobby, under options of the test, while the body runs. */
export function servedBy(
  options: Partial<EndpointOptions<{}>>,
  body: (url: string) => Promise<void>,
  mounts: Readonly<Record<string, Partial<SocketOptions<{}>>>> = { "/socket": {} },
): Promise<void> {
  const web = endpoint<Topics>("web");
  const lobby = web.channel("lobby", {
    schemas: "trusted",
    join: () => ({ assigns: {} }),
    on: { ask: () => ({}) },
  });
  const sockets = Object.fromEntries(
    Object.entries(mounts).map(([path, mount]) => [
      path,
      { connect: () => ({}), channels: [lobby], ...mount },
    ]),
  );
  return withSystem(async () => {
    using _errors = expectErrors();
    await using app = await startSupervisor({
      strategy: "one_for_one",
      children: { web: web.child({ port: 0, sockets, ...options } as EndpointOptions<{}>) },
    });
    await body((await app.children.web.call.address()).url);
  });
}
