import { describe, expect, it } from "vitest";
import { checkKnown } from "./check.ts";
import { start } from "./start.ts";

describe("checkKnown", () => {
  const known = new Set(["count", "secrets"]);

  it("names an option that nobody reads, and does not show what may be a secret (R59)", () => {
    const check = (options: object) => () => checkKnown("log", options, known);
    expect(check({ count: 1 })).not.toThrow();
    expect(check({ cuont: 1 })).toThrow(
      "log: cuont: got 1, expected one of the options count, secrets",
    );
    expect(check({ size: "big" })).toThrow('log: size: got "big", expected one of');
    expect(check({ secret: "open sesame" })).toThrow(
      'log: secret: got "something", expected one of',
    );
  });

  it.each([undefined, null, 5, "count"])("refuses %s, which is no options", (options) => {
    expect(() => checkKnown("log", options as never, known)).toThrow(
      `options of log: got ${JSON.stringify(options) ?? "undefined"}, expected an object`,
    );
  });
});

describe("start", () => {
  it("refuses a function that no object is made by", async () => {
    await expect(start((() => 1) as never, {} as never)).rejects.toMatchObject({
      code: "SLUICE_INVALID_OPTION",
      details: { option: "process" },
    });
  });
});
