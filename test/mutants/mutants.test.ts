import { expect, it } from "vitest";
import { mutants } from "./mutants.ts";
import { huntAll } from "./run.ts";

it("R18: 20 of 20 one-line faults of the engine are found within 1,000 seeds, and the engine itself is clean", async () => {
  const lines: string[] = [];
  const found = await huntAll(1_000, (line) => lines.push(line));
  expect({ found, lines }).toEqual({ found: 20, lines });
  expect(mutants).toHaveLength(20);
  console.info(lines.join("\n"));
}, 120_000);
