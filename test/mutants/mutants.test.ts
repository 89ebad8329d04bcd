import { expect, it } from "vitest";
import { mutants } from "./mutants.ts";
import { huntAll } from "./run.ts";

it("R18: 36 of 36 one-line faults, of processes, stages, channels, histories, pub/sub and presence, are found within 1,000 seeds, and without one nothing is", async () => {
  const lines: string[] = [];
  const found = await huntAll(1_000, (line) => lines.push(line));
  expect({ found, lines }).toEqual({ found: 36, lines });
  expect(mutants).toHaveLength(36);
  console.info(lines.join("\n"));
}, 300_000);
