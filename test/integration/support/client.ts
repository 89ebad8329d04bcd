import { spawn } from "node:child_process";
import { execPath } from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Stats } from "../../../src/cli/stats.ts";
import { Watched } from "./watched.ts";

/** What a client process is to do. */
export interface ClientOptions {
  /** Where the server is, as it says itself. */
  readonly url: string;
  readonly topic: string;
  /** The channel event that carries messages; default `push`. */
  readonly event?: string;
  /** Sent with the join. */
  readonly params?: Readonly<Record<string, string>>;
  /** It answers messages that ask for a receipt. */
  readonly receipts?: boolean;
  /** It joins the figures too. */
  readonly stats?: boolean;
  /** The highest number of a sequence, whose members are then told apart. */
  readonly most?: number;
}

/** What a client process has seen so far. */
export interface ClientReport {
  readonly joins: number;
  /** What the last join handed over. */
  readonly recent: readonly unknown[];
  readonly refused: string | undefined;
  /** Connections that ended. */
  readonly closes: number;
  /** Messages, without those of the joins. */
  readonly count: number;
  /** Different numbers among them. */
  readonly distinct: number;
  /** Numbers that did not follow the one before. */
  readonly outOfOrder: number;
  readonly sum: number;
  /** CRC-32 over all of them as lines. */
  readonly checksum: number;
  readonly last: unknown;
  /** The last hundred; none of a sequence. */
  readonly latest: readonly { readonly [key: string]: unknown }[];
  readonly stats: Stats | undefined;
}

/** A client in a process of its own, which runs the stock client. */
export class ClientProcess extends Watched<ClientReport> {
  /** Resolves when it has joined so many times. */
  joined(times = 1): Promise<ClientReport> {
    return this.until(`${times} joins`, ({ joins }) => joins >= times);
  }

  /** Resolves when it has received so many messages. */
  received(count: number, withinMs?: number): Promise<ClientReport> {
    return this.until(`${count} messages`, (report) => report.count >= count, withinMs);
  }
}

const program = fileURLToPath(new URL("client-process.ts", import.meta.url));

/** Starts a client; it joins by itself. */
export function startClient(options: ClientOptions): ClientProcess {
  const child = spawn(execPath, ["--conditions=sluice-source", program, JSON.stringify(options)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const client = new ClientProcess("a client", child);
  createInterface(child.stdout).on("line", (line) => client.saw(JSON.parse(line) as ClientReport));
  return client;
}
