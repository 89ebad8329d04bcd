import { afterAll, beforeAll, describe, it } from "vitest";
import type { Kind } from "./kinds.ts";
import { type Server, type ServerOptions, startServer } from "./server.ts";

/** The server of a block of tests; to be asked for inside of tests and hooks. */
export type TheServer = () => Server;

/**
 * A block of tests with a real server of their own, from before the first to after the last. Where there is no server and
 * none can be obtained, they fail; `SLUICE_SKIP_SERVERS=1` leaves them out, and says so.
 */
export function describeOn(
  name: Kind["name"],
  title: string,
  body: (server: TheServer) => void,
  options: ServerOptions = {},
): void {
  if (process.env["SLUICE_SKIP_SERVERS"] === "1") {
    console.warn(`SLUICE_SKIP_SERVERS=1: NOT TESTED on ${name}: ${title}`);
    describe(title, () => {
      it.skip(`NOT TESTED: SLUICE_SKIP_SERVERS=1 leaves out what needs ${name}`);
    });
    return;
  }
  describe(title, () => {
    let server: Server | undefined;
    beforeAll(async () => {
      server = await startServer(name, options);
    }, 300_000);
    afterAll(async () => {
      await server?.stop();
    });
    body(() => {
      if (server === undefined) throw new Error(`${name} is there only while tests run`);
      return server;
    });
  });
}
