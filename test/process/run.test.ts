import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const program = fileURLToPath(new URL("program.ts", import.meta.url));

/** A program in a process of its own, as its shell sees it. */
class Program {
  said = "";
  complained = "";
  readonly exit: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  readonly #child;

  constructor(scenario: string) {
    this.#child = spawn(process.execPath, ["--conditions=sluice-source", program, scenario]);
    this.#child.stdout.on("data", (data: Buffer) => (this.said += data.toString()));
    this.#child.stderr.on("data", (data: Buffer) => (this.complained += data.toString()));
    this.exit = once(this.#child, "close").then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as string | null,
    }));
  }

  async says(text: string): Promise<void> {
    while (!this.said.includes(text)) {
      if (this.#child.exitCode !== null) throw new Error(`ended: ${this.said}${this.complained}`);
      await wait(5);
    }
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  signal(signal: "SIGINT" | "SIGTERM"): void {
    this.#child.kill(signal);
  }
}

it.each(["SIGTERM", "SIGINT"] as const)(
  "%s drains: all work is done, in order, and the exit code is 0",
  async (signal) => {
    const busy = new Program("busy");
    await busy.says("works");
    busy.signal(signal);
    expect(await busy.exit).toEqual({ code: 0, signal: null });
    expect(busy.said).toBe('works\nworked\nworks\nworked\nterminates\nover: "shutdown"\n');
    expect(busy.complained).toBe("");
  },
);

it("a second signal forces: the program ends at once, with 130", async () => {
  const stubborn = new Program("stubborn");
  await stubborn.says("works");
  stubborn.signal("SIGTERM");
  await wait(300);
  expect(stubborn.alive).toBe(true);
  stubborn.signal("SIGTERM");
  expect(await stubborn.exit).toEqual({ code: 130, signal: null });
  expect(stubborn.said).toBe("works\n");
});

it("what is left at drainTimeoutMs is killed, and the exit code is 1", async () => {
  const late = new Program("late");
  await late.says("works");
  late.signal("SIGTERM");
  // The zombie's own timer keeps the host alive: it is not ours to end.
  await late.says('over: "killed"');
  expect(late.said).toBe('works\nover: "killed"\n');
  late.signal("SIGTERM");
  expect((await late.exit).signal).toBe("SIGTERM");
});

it("an idle tree keeps the program alive, until a signal", async () => {
  const idle = new Program("idle");
  await idle.says("ready");
  await wait(500);
  expect(idle.alive).toBe(true);
  idle.signal("SIGTERM");
  expect(await idle.exit).toEqual({ code: 0, signal: null });
  expect(idle.said).toBe('ready\nterminates\nover: "shutdown"\n');
});

it("O22: a crash beyond the limit ends the program with 1", async () => {
  const crash = new Program("crash");
  expect(await crash.exit).toEqual({ code: 1, signal: null });
  expect(crash.complained).toContain("gives up: more than 0 restarts in 5 s");
  expect(crash.said).toContain('over: {"shutdown":{"code":"SLUICE_RESTART_INTENSITY"');
});

it("a ready that rejects stops the tree; run rejects, and the exit code is 1", async () => {
  const ready = new Program("ready");
  expect(await ready.exit).toEqual({ code: 1, signal: null });
  expect(ready.said).toBe("terminates\nError: not ready\nover: undefined\n");
});

it("R29: a rejection that nobody waits for is reported, and does not end the program", async () => {
  const floating = new Program("floating");
  expect(await floating.exit).toEqual({ code: 0, signal: null });
  expect(floating.complained).toContain("sluice: a promise that nobody waits for was rejected");
  expect(floating.complained).toContain("Error: nobody waits for this");
  expect(floating.said).toBe('terminates\nover: "shutdown"\n');
});

it("a signal while the tree starts stops it as far as it has come, with 0", async () => {
  const starting = new Program("starting");
  await starting.says("starts");
  starting.signal("SIGTERM");
  expect(await starting.exit).toEqual({ code: 0, signal: null });
  expect(starting.said).toBe('starts\nterminates\nover: "shutdown"\n');
});
