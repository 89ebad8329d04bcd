import type { Faults } from "sluice/testing";
import { crew, flow, offers, slowFlow, type Program } from "./flow.ts";
import { household } from "./household.ts";
import { keeping, leaving } from "./keeping.ts";
import { limits } from "./limits.ts";
import { neighbours } from "./neighbours.ts";
import { presences } from "./presences.ts";
import { resume } from "./resume.ts";
import { voices } from "./voices.ts";

/** Simulated programs that keep books: what they promise holds for every seed, whatever goes wrong. */
export const programs: { readonly [name: string]: Program } = {
  flow: flow(),
  slowFlow,
  offers,
  crew,
  household,
  limits,
  keeping,
  leaving,
  voices,
  neighbours,
  presences,
  resume,
};

/** What goes wrong in them; those that count to the number are calm from their start. */
export const faults: Faults = {
  crash: 0.02,
  slow: { probability: 0.05, maxMs: 30 },
  clockJumpMs: 3_600_000,
};
