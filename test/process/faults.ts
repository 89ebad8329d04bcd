// The programs of faults.test.ts, each in a host of its own; the last line it prints is JSON.
import { argv, cpuUsage, getActiveResourcesInfo, memoryUsage } from "node:process";
import {
  Process,
  SluiceError,
  child,
  currentSystem,
  names,
  run,
  sleep,
  start,
  startSupervisor,
  supervisor,
} from "sluice";
import { attach } from "sluice/telemetry";

/** Takes nothing in until it is let. */
class Stalled extends Process {
  stalled: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  stall(): Promise<void> {
    return this.stalled.promise;
  }
  take(_item: object): void {}
}

/** Heeds no stop. */
class Stubborn extends Process {
  async work(): Promise<void> {
    await sleep(300, new AbortController().signal);
  }
}

class Poison extends Process {
  static starts = 0;
  protected override init(): void {
    Poison.starts++;
    this.self.after(0, () => {
      throw new Error("poison");
    });
  }
}

/** A crash loop beside a timer: restarts, processor time, and how late the timer was at worst. */
async function crashLoop(restartDelayMs: number): Promise<object> {
  const app = await startSupervisor({
    strategy: "one_for_one",
    maxRestarts: 1e9,
    children: { poison: child(Poison, { restartDelayMs }) },
  });
  const before = cpuUsage();
  const begun = performance.now();
  let late = 0;
  while (performance.now() - begun < 2_000) {
    const asked = performance.now();
    await sleep(10);
    late = Math.max(late, performance.now() - asked - 10);
  }
  const { user, system } = cpuUsage(before);
  await app.stop();
  return { restarts: Poison.starts, cpuMs: (user + system) / 1_000, lateMs: late };
}

const scenarios: Record<string, () => Promise<object>> = {
  async mailbox() {
    const stalled = await start(Stalled);
    stalled.cast.stall();
    await sleep(1);
    let dropped = 0;
    using _drops = attach("sluice.process.dropped", ({ count }) => (dropped += count));
    let peak = 0;
    for (let n = 0; n < 1_000_000; n++) {
      stalled.cast.take({ n, text: `${n}`.padStart(512) });
      if (n % 100_000 === 0) peak = Math.max(peak, memoryUsage().rss);
    }
    const refused = await stalled.call.take({}).catch((error: unknown) => error);
    return {
      dropped,
      peakMb: Math.round(peak / 2 ** 20),
      code: SluiceError.is(refused, "SLUICE_MAILBOX_FULL") ? refused.code : undefined,
    };
  },
  crashLoop: () => crashLoop(0),
  slowCrashLoop: () => crashLoop(20),
  async stop() {
    const stubborn = names<Stubborn>("stubborn");
    const branch = (id: string, shutdown: number) =>
      supervisor({
        strategy: "one_for_one",
        children: {
          idle: child(Stalled),
          stubborn: child(Stubborn, { name: stubborn(id), shutdown }),
        },
      });
    const app = await startSupervisor({
      strategy: "one_for_one",
      children: { a: branch("a", 100), b: branch("b", 150) },
    });
    for (const one of stubborn.all().values()) one.cast.work();
    await sleep(1);
    const begun = performance.now();
    await app.stop();
    const ms = performance.now() - begun;
    // What the killed callbacks wait for is theirs.
    await sleep(500);
    return {
      ms,
      timers: currentSystem().wheel.size,
      names: stubborn.count(),
      open: getActiveResourcesInfo(),
    };
  },
  async floating() {
    let reported = 0;
    using _log = attach("sluice.log", ({ message }) => {
      if (message.includes("nobody waits for")) reported++;
    });
    class Floats extends Process {
      float(): void {
        void Promise.reject(new Error("floating"));
      }
    }
    const reason = await run(
      {
        strategy: "one_for_one",
        children: { floats: child(Floats) },
      },
      {
        async ready(app) {
          for (let n = 0; n < 20; n++) await app.children.floats.call.float();
          await sleep(20);
          const { restarts } = await app.call.countChildren();
          console.info(`restarts ${restarts}`);
          await app.stop("shutdown");
        },
      },
    );
    return { reason, reported };
  },
};

console.info(JSON.stringify(await scenarios[argv[2] ?? ""]!()));
