import { attach } from "sluice/telemetry";
import type { Simulation } from "sluice/testing";
import { World } from "../presence/world.ts";

/** Nodes and trackers that come, go and crash, and a network that does its worst: in the end all see the same, and no ghost. */
export async function presences(simulation: Simulation): Promise<void> {
  using _silent = attach("sluice.log", () => {});
  simulation.calm();
  await new World(simulation).run(40);
}
