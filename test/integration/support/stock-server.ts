import { spawn } from "node:child_process";
import { execPath } from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { BoundAddress, Limits } from "sluice/channels";
import { Watched } from "./watched.ts";

const program = fileURLToPath(new URL("stock-server-process.ts", import.meta.url));

/** Starts a server for stock clients in a process of its own; its state is where it listens. */
export function startStockServer(port = 0, limits: Partial<Limits> = {}): Watched<BoundAddress> {
  const options = [String(port), JSON.stringify(limits)];
  const child = spawn(execPath, ["--conditions=sluice-source", program, ...options], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const server = new Watched<BoundAddress>("a server for stock clients", child);
  createInterface(child.stdout).on("line", (line) => server.saw(JSON.parse(line) as BoundAddress));
  return server;
}
