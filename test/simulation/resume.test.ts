import { expect, it } from "vitest";
import { simulate } from "sluice/testing";
import { resume, seen } from "./resume.ts";

it("each client sees what the log has, once and in its order, and is told of what is missing, whatever breaks (R79)", async () => {
  await simulate(resume, { seeds: 500 });
  // A run in which nothing goes wrong shows nothing.
  expect(Object.entries(seen).filter(([, times]) => times <= 20)).toEqual([]);
}, 120_000);
