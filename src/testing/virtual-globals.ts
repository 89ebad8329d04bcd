import type { System } from "../runtime/internal.ts";

/** The host's clocks, timers and chance, in virtual time until disposed: code that uses them raw is simulated too. */
export function virtualGlobals(system: System): Disposable {
  const { runtime } = system;
  const real = {
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout,
    setInterval: globalThis.setInterval,
    clearInterval: globalThis.clearInterval,
    dateNow: Date.now,
    performanceNow: performance.now,
    random: Math.random,
  };
  const timers = new Map<number, () => void>();
  let last = 0;
  const set = (ms: number, again: boolean, run: () => void): number => {
    const id = ++last;
    const arm = (): void => {
      const entry = system.after(Math.max(ms, again ? 1 : 0), () => {
        if (again) arm();
        else timers.delete(id);
        run();
      });
      timers.set(id, () => system.cancel(entry));
    };
    arm();
    return id;
  };
  const clear = (id: unknown): void => {
    timers.get(Number(id))?.();
    timers.delete(Number(id));
  };
  const timer = (id: number): object => ({
    ref: () => id,
    unref: () => id,
    [Symbol.toPrimitive]: () => id,
  });
  Object.assign(globalThis, {
    setTimeout: (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) =>
      timer(set(ms, false, () => run(...args))),
    setInterval: (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) =>
      timer(set(ms, true, () => run(...args))),
    clearTimeout: clear,
    clearInterval: clear,
  });
  Date.now = () => runtime.wallNow();
  performance.now = () => runtime.now();
  Math.random = () => runtime.random();
  return {
    [Symbol.dispose](): void {
      for (const cancel of timers.values()) cancel();
      const { dateNow, performanceNow, random, ...globals } = real;
      Object.assign(globalThis, globals);
      Date.now = dateNow;
      performance.now = performanceNow;
      Math.random = random;
    },
  };
}
