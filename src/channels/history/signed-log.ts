import { Signer } from "../../support/internal.ts";
import type { Runtime } from "../../runtime/internal.ts";
import type { Log, Position } from "../../store/index.ts";
import { CheckedLog } from "./checked-log.ts";
import { isEntry, type HistoryEntry } from "./history-entry.ts";

/**
 * A log whose entries prove that a node with the same secret has said them, of this endpoint and on this topic. What does
 * not prove it is not believed.
 */
export class SignedLog extends CheckedLog {
  readonly #signer: Signer;

  constructor(
    log: Log<HistoryEntry>,
    endpoint: string,
    secrets: readonly string[],
    runtime: Runtime,
  ) {
    super(log, endpoint, runtime);
    this.#signer = new Signer(secrets, "history");
  }

  override append(topic: string, entries: readonly HistoryEntry[]): Promise<Position> {
    const signed = entries.map((entry) => ({
      ...entry,
      proof: this.#signer.sign(this.#proven(topic, entry)),
    }));
    return super.append(topic, signed);
  }

  /** What is proven was written by one of us, and is as it must be. */
  protected override said(topic: string, entry: unknown): HistoryEntry | undefined {
    if (!isEntry(entry)) return undefined;
    const { proof = "" } = entry;
    const isProven =
      typeof proof === "string" && this.#signer.verifies(proof, this.#proven(topic, entry));
    return isProven ? entry : undefined;
  }

  #proven(topic: string, { event, payload, id = "" }: HistoryEntry): string {
    return `${JSON.stringify([this.endpoint, topic, event, id])}\n${payload}`;
  }
}
