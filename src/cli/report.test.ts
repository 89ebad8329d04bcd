import { describe, expect, it } from "vitest";
import type { DeliveryFigures } from "../delivery/index.ts";
import { Histogram } from "../telemetry/index.ts";
import { leftBehind, summary } from "./report.ts";
import { Tally } from "./tally.ts";

function figures(changes: Partial<DeliveryFigures> = {}): DeliveryFigures {
  const empty = new Histogram().snapshot();
  const nothing = { messages: 0, delivered: 0, unheard: 0, dropped: 0 };
  return { ...nothing, toSocket: empty, toClient: empty, ...changes };
}

describe("summary", () => {
  it("says what came and what became of it, in lines of name and value", () => {
    using tally = new Tally();
    tally.receive(3_000, 1_000);
    const toSocket = new Histogram();
    toSocket.record(2, 10);
    const seen = figures({
      messages: 3_000,
      delivered: 6_000,
      dropped: 2,
      toSocket: toSocket.snapshot(),
    });
    expect(summary(tally, seen, 3_000)).toBe(
      [
        "received   3,000",
        "delivered  6,000 (client deliveries)",
        "unheard    0 (nobody was joined)",
        "dropped    2",
        "rate       1,500 events/s, since the first",
        "latency    p50 2.00 ms, p95 2.00 ms, p99 2.00 ms, to the socket, 10 measured",
        "",
      ].join("\n"),
    );
  });

  it("names what is wrong only where something is", () => {
    using tally = new Tally();
    tally.receive(10, 0);
    tally.badLines = 1;
    tally.cutLines = 2;
    tally.refused = 3;
    const toClient = new Histogram();
    toClient.record(250);
    const seen = figures({ messages: 5, unheard: 5, toClient: toClient.snapshot() });
    expect(leftBehind(tally, seen)).toBe(2);
    const said = summary(tally, seen, 10);
    expect(said).toMatch(/^left {7}2 \(the end came before their turn\)$/m);
    expect(said).toMatch(/^bad lines {2}1\ncut lines {2}2\ntoo large {2}3$/m);
    expect(said).toMatch(/^latency {4}p50 250 ms, .+, to the client, 1 measured$/m);
  });

  it("of nothing has no rate and no latency", () => {
    using tally = new Tally();
    expect(summary(tally, figures(), 1_000)).toMatch(
      /^rate {7}0 events\/s, since the first\nlatency {4}none measured\n$/m,
    );
  });
});
