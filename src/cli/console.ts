import { attach } from "../telemetry/index.ts";
import { describe } from "../support/internal.ts";
import { progressLine } from "./report.ts";
import type { Stats } from "./stats.ts";

/** A terminal, or a pipe. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
}

/** Clears the line that the cursor is on. */
const clear = "\r\u001b[2K";

/** What `sluice pipe` says: lines for people on one output, with a progress line below them where that is a terminal. */
export class Console {
  readonly #output: Output;
  #progress = "";
  readonly #logs: Disposable;

  constructor(output: Output) {
    this.#output = output;
    this.#logs = attach("sluice.log", ({ level, message, details }) => {
      if (level === "error" || level === "warning")
        this.line(details instanceof Error ? `${message} (${describe(details)})` : message);
    });
  }

  /** A line that stays. */
  line(text: string): void {
    if (this.#progress === "") this.#output.write(`${text}\n`);
    else this.#output.write(`${clear}${text}\n${this.#progress}`);
  }

  /** The progress line; none in a pipe. */
  progress(stats: Stats): void {
    if (this.#output.isTTY !== true) return;
    this.#progress = progressLine(stats);
    this.#output.write(`${clear}${this.#progress}`);
  }

  /** The last word. */
  end(text: string): void {
    this.#logs[Symbol.dispose]();
    this.#output.write(`${this.#progress === "" ? "" : clear}${text}`);
    this.#progress = "";
  }
}
