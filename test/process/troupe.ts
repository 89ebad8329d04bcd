import {
  Process,
  child,
  sleep,
  type ChildOptions,
  type ChildSpec,
} from "../../src/process/index.ts";
import { currentSystem } from "../../src/runtime/index.ts";
import type { ExitReason } from "../../src/support/index.ts";

const nowMs = (): number => currentSystem().runtime.now();

/** What crashing children throw. */
export const boom: Error = new Error("boom");

/** How one child behaves, shared by its incarnations. */
export class Script {
  readonly id: string;
  readonly trace: string[];
  initMs = 0;
  /** So many of its next starts fail. */
  failing = 0;
  terminateMs = 0;
  starts = 0;
  constructor(id: string, trace: string[]) {
    this.id = id;
    this.trace = trace;
  }
}

/** Does as its script says, and writes down when it is up and when it was stopped. */
export class Actor extends Process {
  readonly script: Script;
  constructor(script: Script) {
    super();
    this.script = script;
  }
  protected override async init(): Promise<void> {
    const { script } = this;
    script.starts++;
    if (script.initMs > 0) await sleep(script.initMs);
    if (script.failing > 0) {
      script.failing--;
      throw boom;
    }
    script.trace.push(`${script.id} up ${nowMs()}`);
  }
  protected override async terminate(reason: ExitReason): Promise<void> {
    const { script } = this;
    if (script.terminateMs > 0) await sleep(script.terminateMs);
    if (reason === "shutdown") script.trace.push(`${script.id} down ${nowMs()}`);
  }
  crash(): void {
    throw boom;
  }
  leave(reason: ExitReason = "normal"): void {
    this.self.stop(reason);
  }
  /** Heeds nothing. */
  async haunt(ms: number): Promise<void> {
    this.script.trace.push(`${this.script.id} haunts ${nowMs()}`);
    await sleep(ms, new AbortController().signal);
    this.script.trace.push(`${this.script.id} laid ${nowMs()}`);
  }
  pid(): string {
    return this.self.pid;
  }
}

/** Children of one trace, by id. */
export class Troupe {
  readonly trace: string[] = [];
  readonly scripts: Map<string, Script> = new Map();
  actor(id: string, options: ChildOptions<Actor> = {}): ChildSpec<Actor> {
    return child(Actor, { args: [this.script(id)], ...options });
  }
  script(id: string): Script {
    const script = this.scripts.get(id) ?? new Script(id, this.trace);
    this.scripts.set(id, script);
    return script;
  }
  /** What happened since the last look. */
  seen(): readonly string[] {
    return this.trace.splice(0);
  }
}
