import { attach } from "../telemetry/index.ts";
import { describe } from "../support/internal.ts";
import { progressLine } from "./report.ts";
import type { Stats } from "./stats.ts";

/** A terminal, or a pipe. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  /** The width of a terminal. */
  readonly columns?: number | undefined;
}

const mostOfAKind = 10;
/** Clears the line that the cursor is on. */
const clear = "\r\u001b[2K";

/** What `sluice pipe` says: lines for people on one output, with a progress line below them where that is a terminal. */
export class Console {
  readonly #output: Output;
  #progress = "";
  readonly #ears: readonly Disposable[];
  readonly #told: Map<string, number> = new Map();

  constructor(output: Output) {
    this.#output = output;
    this.#ears = [
      attach("sluice.log", ({ level, message, details }) => {
        if (level === "error" || level === "warning")
          this.line(details instanceof Error ? `${message} (${describe(details)})` : message);
      }),
      attach("sluice.channels.closed", ({ code }) => {
        if (code === 4008) this.often("slow", "a client was too slow, and was disconnected");
      }),
    ];
  }

  /** A line that stays. */
  line(text: string): void {
    if (this.#progress === "") this.#output.write(`${text}\n`);
    else this.#output.write(`${clear}${text}\n${this.#progress}`);
  }

  /** A line of a kind of which there may be many: the first ten stay, and the rest are counted elsewhere. */
  often(kind: string, text: string): void {
    const told = (this.#told.get(kind) ?? 0) + 1;
    this.#told.set(kind, told);
    if (told <= mostOfAKind) this.line(text);
    else if (told === mostOfAKind + 1) this.line("… and more of these, which are not shown");
  }

  /** The progress line; none in a pipe. */
  progress(stats: Stats): void {
    if (this.#output.isTTY !== true) return;
    // A line that wraps would not be cleared whole.
    this.#progress = progressLine(stats).slice(0, (this.#output.columns ?? 80) - 1);
    this.#output.write(`${clear}${this.#progress}`);
  }

  /** The last word. */
  end(text: string): void {
    for (const ear of this.#ears) ear[Symbol.dispose]();
    this.#output.write(`${this.#progress === "" ? "" : clear}${text}`);
    this.#progress = "";
  }
}
