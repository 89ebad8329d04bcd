import { describe, expect, it } from "vitest";
import { sendReceipts } from "./receipts.ts";

describe("sendReceipts", () => {
  it("answers a message that asks for a receipt, after its handlers, and no other", async () => {
    const happened: unknown[] = [];
    const channel = {
      onMessage: (event: string, payload?: unknown): unknown => {
        happened.push(event);
        return payload;
      },
      push: (event: string, payload: object) => happened.push([event, payload]),
    };
    sendReceipts(channel);
    expect(channel.onMessage("a", { "~": { receipt: 7 } })).toEqual({ "~": { receipt: 7 } });
    channel.onMessage("b", { "~": { offset: 3 } });
    channel.onMessage("c", { "~": { receipt: "7" } });
    channel.onMessage("d", null);
    await Promise.resolve();
    expect(happened).toEqual(["a", "b", "c", "d", ["~receipt", { id: 7 }]]);
  });

  it("is one of many who answer, by chance", async () => {
    const answers: unknown[] = [];
    const channel = {
      onMessage: (_event: string, payload?: unknown): unknown => payload,
      push: (_event: string, payload: object) => answers.push(payload),
    };
    const chances = [0.09, 0.11];
    sendReceipts(channel, () => chances.shift()!);
    channel.onMessage("a", { "~": { receipt: 1, oneIn: 10 } });
    channel.onMessage("a", { "~": { receipt: 2, oneIn: 10 } });
    await Promise.resolve();
    expect(answers).toEqual([{ id: 1 }]);
  });
});
