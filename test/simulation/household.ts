import {
  Process,
  SluiceError,
  child,
  name,
  sleep,
  start,
  startSupervisor,
  type ExitReason,
  type Name,
} from "sluice";
import { attach } from "sluice/telemetry";
import type { Simulation } from "sluice/testing";
import { judge } from "./judge.ts";

/** One of a family that starts in order and stops in reverse; it works, beats, and keeps the order of what it is told. */
class Member extends Process {
  readonly #fail: (what: string) => void;
  readonly #begins: (pid: string) => void;
  readonly #younger: Name<Member> | undefined;
  #told = 0;
  #live = true;

  constructor(
    fail: (what: string) => void,
    begins: (pid: string) => void,
    younger: Name<Member> | undefined,
  ) {
    super();
    this.#fail = fail;
    this.#begins = begins;
    this.#younger = younger;
  }
  protected override init(): void {
    const { pid } = this.self;
    this.#begins(pid);
    this.self.every(7, () => {
      if (!this.#live) this.#fail(`a timer of ${pid} rang after its end`);
    });
  }
  async work(): Promise<number> {
    await sleep(3, this.self.signal);
    return 1;
  }
  tell(nth: number): void {
    if (nth <= this.#told) this.#fail(`${this.self.pid} was told ${nth} after ${this.#told}`);
    this.#told = nth;
  }
  protected override terminate(): void {
    this.#live = false;
    if (this.#younger?.whereis() !== undefined)
      this.#fail(`${this.self.pid} stopped before the one below it`);
  }
}

const [a, b, c] = ["a", "b", "c"].map((key) => name<Member>(key)) as [
  Name<Member>,
  Name<Member>,
  Name<Member>,
];

/** Watches one member, life after life. */
class Watcher extends Process {
  downs = 0;
  watched = 0;
  watch(): void {
    if (a.whereis() === undefined) return void this.self.after(1, () => this.watch());
    this.watched++;
    let told = 0;
    this.self.monitor(a, (reason: ExitReason) => {
      // Gone between the look and the watch.
      if (reason === "noproc") this.watched--;
      else this.downs++;
      if (++told > 1) throw new Error("one end was told twice");
      this.self.after(0, () => this.watch());
    });
  }
  balance(): readonly [watched: number, downs: number] {
    return [this.watched, this.downs];
  }
}

/** A family under faults: order of starts and stops, one down per monitor, every call answered or refused in time. */
export async function household(simulation: Simulation): Promise<void> {
  using _silent = attach("sluice.log", () => {});
  const fail = judge(simulation);
  const order = ["a", "b", "c"];
  let due = order;
  const begins = (pid: string): void => {
    const [next, ...later] = due;
    if (next !== pid.split("#")[0]) fail(`${pid} started where ${next} was due`);
    due = later;
  };
  using _restarts = attach("sluice.supervisor.restarted", ({ child }) => {
    due = order.slice(order.indexOf(child));
  });
  await using watcher = await start(Watcher);
  {
    await using _app = await startSupervisor({
      strategy: "rest_for_one",
      maxRestarts: 10_000,
      children: {
        a: child(Member, { name: a, args: [fail, begins, b] }),
        b: child(Member, { name: b, args: [fail, begins, c] }),
        c: child(Member, { name: c, args: [fail, begins, undefined] }),
      },
    });
    watcher.cast.watch();
    const ask = async (who: Name<Member>): Promise<void> => {
      try {
        await who.call.work();
      } catch (error) {
        if (!SluiceError.is(error, "SLUICE_EXITED") && !SluiceError.is(error, "SLUICE_NO_PROCESS"))
          fail(`a call was neither answered nor refused: ${String(error)}`);
      }
    };
    for (let nth = 1; nth <= 30; nth++) {
      const asked = [a, b, c].map((who) => ask(who));
      for (const who of [a, b, c]) who.cast.tell(nth);
      await simulation.advance(simulation.random() * 20);
      await Promise.all(asked);
    }
    simulation.calm();
    await simulation.advance(1_000);
    for (const who of [a, b, c])
      if (who.whereis() === undefined) fail(`${who.key} is not up again`);
    await Promise.all([a, b, c].map(ask));
  }
  await simulation.advance(10);
  const [watched, downs] = await watcher.call.balance();
  if (watched !== downs) fail(`${watched} lives were watched, ${downs} ends told`);
  await simulation.quiet();
}
