// A topic that no channel is for, as the page of docs/concepts/browser-clients.md treats it, by the stock client.
import { attach } from "sluice/telemetry";
import { Socket } from "phoenix";
import { describe, expect, it } from "vitest";
import { hangUp, until } from "./support/clients.ts";
import { served } from "./support/rooms.ts";

describe("a join of a topic that no channel is for", () => {
  it("is told why, each time that the stock client tries again by itself, and not once it has left (L26)", () =>
    served(async ({ url }) => {
      let refused = 0;
      using _refused = attach("sluice.channels.refused", ({ reason }) => {
        if (reason === "unmatched topic") refused++;
      });
      const socket = new Socket(`${url.replace("http", "ws")}/socket`, {
        rejoinAfterMs: () => 20,
      });
      socket.connect();
      const channel = socket.channel("rom:1");
      const reasons: unknown[] = [];
      channel.join().receive("error", (reply) => {
        reasons.push(reply);
        if (reasons.length === 3) channel.leave();
      });
      await until(() => channel.state === "closed");
      // A join that was on its way would come before this answer.
      const last = socket.channel("rom:2");
      let isLast = false;
      last.join().receive("error", () => {
        last.leave();
        isLast = true;
      });
      await until(() => isLast);
      expect(reasons).toEqual(Array(3).fill({ reason: "unmatched topic" }));
      expect(refused).toBe(4);
      await hangUp(socket);
    }));
});
