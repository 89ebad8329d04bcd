import { describe, expect, it } from "vitest";
import { name } from "../process/index.ts";
import { half } from "./batch-inlet.ts";
import { wanted } from "./subscription.ts";

const to = name<unknown>("somebody");
const of = (given: unknown): unknown => wanted(given, "subscribeTo[0]", half);

describe("a subscription", () => {
  it("G48, G49: asks for 1000, again when half is left, and ends with its producer", () => {
    const defaults = {
      maxDemand: 1_000,
      minDemand: 500,
      cancel: "permanent",
    };
    expect(of(to)).toEqual({ to, ...defaults });
    expect(of({ to })).toEqual({ to, ...defaults });
  });

  it("G48: with a window of 1 asks again when none is left", () => {
    expect(of({ to, maxDemand: 1 })).toMatchObject({ minDemand: 0 });
  });

  it("takes what is given", () => {
    const given = {
      to,
      maxDemand: 7,
      minDemand: 6,
      cancel: "transient",
      partition: "a",
      selector: Boolean,
      slow: { latest: String },
      maxLag: 0,
      weight: 0.5,
      dispatch: null,
    };
    expect(of(given)).toEqual(given);
  });

  it.each([
    [undefined, "", "undefined", "a ref, a name, a child, or { to: one of these }"],
    ["somebody", "", '"somebody"', "a ref, a name, a child, or { to: one of these }"],
    [{ to: 1 }, "", '{"to":1}', "a ref, a name, a child, or { to: one of these }"],
    [{ to, maxDemand: 0 }, ".maxDemand", "0", "a whole number of at least 1"],
    [{ to, maxDemand: Infinity }, ".maxDemand", "Infinity", "a whole number of at least 1"],
    [{ to, maxDemand: "all" }, ".maxDemand", '"all"', "a whole number of at least 1"],
    [{ to, minDemand: -1 }, ".minDemand", "-1", "a whole number from 0 to 999"],
    [{ to, minDemand: 2_000 }, ".minDemand", "2000", "a whole number from 0 to 999"],
    [{ to, maxDemand: 5, minDemand: 5 }, ".minDemand", "5", "a whole number from 0 to 4"],
    [{ to, cancel: "never" }, ".cancel", '"never"', '"permanent", "transient", "temporary"'],
    [
      { to, maxDemnd: 1 },
      ".maxDemnd",
      "1",
      "one of the options to, maxDemand, minDemand, cancel, partition, selector, slow, maxLag, weight, dispatch",
    ],
    [{ to, partition: 0.5 }, ".partition", "0.5", "the name or the number of a partition"],
    [{ to, selector: "all" }, ".selector", '"all"', "a function of an event"],
    [
      { to, slow: { latest: "id" } },
      ".slow",
      '{"latest":"id"}',
      '"wait", "dropOldest", "disconnect" or { latest: a function of an event }',
    ],
    [{ to, maxLag: -1 }, ".maxLag", "-1", "a whole number, 0 or more"],
    [{ to, weight: 0 }, ".weight", "0", "a number above 0"],
  ])(
    "S45, G6, G48: %o is refused by path, value and what is expected",
    (given, path, got, expected) => {
      expect(() => of(given)).toThrow(
        expect.objectContaining({
          code: "SLUICE_INVALID_OPTION",
          details: { option: `subscribeTo[0]${path}`, got, expected },
        }),
      );
    },
  );
});
