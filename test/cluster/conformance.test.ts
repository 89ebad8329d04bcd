// The conformance suite of adapters, against the real brokers.
import { expect, it } from "vitest";
import { adapterSuite } from "sluice/testing";
import { describeOn } from "../support/servers/on-server.ts";
import { adapterTo, brokers } from "./brokers.ts";

let cases = 0;

for (const broker of brokers)
  describeOn(broker, `the ${broker} adapter (L113–L115, C60–C70, R52)`, (server) => {
    const open = () => {
      const prefix = `case_${++cases}`;
      return {
        adapter: () => adapterTo(broker, server().url, prefix),
        outage: { stop: () => server().kill(), start: () => server().start() },
      };
    };
    it.each(adapterSuite({ open }))("$name", async ({ run }) => {
      await expect(run()).resolves.toBeUndefined();
    });
  });
