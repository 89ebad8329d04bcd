import type { ExitReason } from "../../support/internal.ts";
import { invalidOption } from "../../support/internal.ts";
import { Process } from "../../process/index.ts";
import { cellOf, type Engine, type Figures, type Upstream } from "../../process/internal.ts";
import type { Log } from "../../store/index.ts";
import { log } from "../../telemetry/internal.ts";
import { bus } from "../../pubsub/internal.ts";
import { directory } from "../directory.ts";
import type { EndpointLog, GivenLog } from "./endpoint-log.ts";
import type { HistoryEntry } from "./history-entry.ts";
import type { HistoryServer, HistorySetting } from "./history-options.ts";
import { CheckedLog } from "./checked-log.ts";
import { SignedLog } from "./signed-log.ts";

type Closable = Partial<Disposable & AsyncDisposable>;

/** Appends that are under way when it stops have this long to be answered. */
const flushMs = 5_000;
const lookAgainMs = 10;

/** Owns the log that the history of an endpoint is kept in: opens it, and closes it behind what is on its way to it. */
export class HistoryProcess extends Process implements HistoryServer, Engine {
  readonly role = "history";
  readonly #key: string;
  readonly #setting: HistorySetting;
  readonly #history: EndpointLog;
  #given: GivenLog | undefined = undefined;
  #opened: Closable | undefined = undefined;
  /** Its process has ended: what is opened now is for nobody. */
  #isOver = false;
  #checked: CheckedLog | undefined = undefined;

  constructor(key: string, setting: HistorySetting) {
    super();
    const cell = cellOf(this);
    cell.engine = this;
    this.#key = key;
    this.#setting = setting;
    this.#history = cell.system.get(directory).record(key).log;
  }

  protected override async init(): Promise<void> {
    const { open, patterns, bounds } = this.#setting;
    const opened = await open();
    if (!isLog(opened)) throw invalidOption("history.log", opened, "a log: append, read, tail, …");
    this.#opened = opened as Closable;
    this.#checked = this.#checking(opened);
    this.#given = { log: this.#checked, patterns, bounds };
    if (this.#isOver) return this.#close();
    this.#history.give(this.#given);
  }

  protected override async terminate(): Promise<void> {
    const { system } = cellOf(this);
    const deadline = system.runtime.now() + flushMs;
    while (this.#history.backlog.size > 0 && system.runtime.now() < deadline)
      await new Promise<void>((resolve) => void system.after(lookAgainMs, resolve));
    await this.#close();
  }

  receive(): void {}

  exited(_reason: ExitReason): void {
    this.#isOver = true;
    void this.#close();
  }

  inspect(): { readonly figures: Figures; readonly upstream: readonly Upstream[] } {
    return { figures: { ...this.backlog() }, upstream: [] };
  }

  /** What is on its way. */
  backlog(): ReturnType<HistoryServer["backlog"]> {
    const { size, bytes } = this.#history.backlog;
    const { failed } = this.#history;
    return { appends: size, bytes, failed, refused: this.#checked?.refused ?? 0 };
  }

  #checking(opened: Log<HistoryEntry>): CheckedLog {
    const { secrets } = this.#setting;
    const { system } = cellOf(this);
    if (Array.isArray(secrets)) return new SignedLog(opened, this.#key, secrets, system.runtime);
    if (secrets === undefined && system.get(bus).uplink?.isSigned === true)
      log(
        "warning",
        `nodes sign what they say to each other, and not the history of ${this.#key}: give it secrets, or say "trusted"`,
      );
    return new CheckedLog(opened, this.#key, system.runtime);
  }

  async #close(): Promise<void> {
    const given = this.#given;
    if (given === undefined) return;
    this.#given = undefined;
    this.#history.takeBack(given);
    const opened = this.#opened;
    try {
      if (opened?.[Symbol.asyncDispose] !== undefined) await opened[Symbol.asyncDispose]!();
      else opened?.[Symbol.dispose]?.();
    } catch (error) {
      log("error", `the log of ${this.#key} could not be closed`, error);
    }
  }
}

function isLog(value: unknown): value is Log<HistoryEntry> {
  if (typeof value !== "object" || value === null) return false;
  const given = value as Readonly<Record<string, unknown>>;
  return ["append", "read", "last", "tail"].every((name) => typeof given[name] === "function");
}
