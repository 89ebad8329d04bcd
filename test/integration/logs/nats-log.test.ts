import { expect, it } from "vitest";
import { natsLog } from "sluice/nats";
import { logSuite } from "sluice/testing";
import { describeOn } from "../../support/servers/on-server.ts";
import { outages } from "./outages.ts";

let opened = 0;

describeOn("nats", "natsLog", (server) => {
  const open = (bounds: object) =>
    natsLog<string>({
      servers: server().url,
      prefix: `suite-${++opened}`,
      maxBytes: 2 ** 28,
      ...bounds,
    });

  it.each(logSuite({ open }))("$name", { timeout: 120_000 }, async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});

describeOn("nats", "natsLog on one server", (server) => {
  outages(server, (options) => natsLog({ servers: server().url, ...options }), false);
});

describeOn("nats", "natsLog that trusts the restarts of its server", (server) => {
  const trusting = { trustRestarts: true };
  outages(server, (options) => natsLog({ servers: server().url, ...trusting, ...options }), true);
});
