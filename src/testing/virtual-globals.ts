import { SluiceError } from "../support/internal.ts";
import type { System } from "../runtime/internal.ts";

type Run = (...args: unknown[]) => void;

/** `setTimeout` and its kin in the time of a system. */
function virtualTimers(system: System): Record<string, unknown> & Disposable {
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
  const clear = (timer: unknown): void => {
    timers.get(Number(timer))?.();
    timers.delete(Number(timer));
  };
  const shown = (id: number): object => {
    const timer: object = { ref: () => timer, unref: () => timer, [Symbol.toPrimitive]: () => id };
    return timer;
  };
  return {
    setTimeout: (run: Run, ms = 0, ...args: unknown[]) => shown(set(ms, false, () => run(...args))),
    setInterval: (run: Run, ms = 0, ...args: unknown[]) => shown(set(ms, true, () => run(...args))),
    setImmediate: (run: Run, ...args: unknown[]) => shown(set(0, false, () => run(...args))),
    clearTimeout: clear,
    clearInterval: clear,
    clearImmediate: clear,
    [Symbol.dispose](): void {
      for (const cancel of timers.values()) cancel();
    },
  };
}

/** `Date` that knows the time of a system. */
function virtualDate({ runtime }: System): DateConstructor {
  return new Proxy(Date, {
    construct: (date, args: unknown[]) =>
      Reflect.construct(date, args.length > 0 ? args : [runtime.wallNow()]) as Date,
    apply: (date) => new date(runtime.wallNow()).toString(),
    get: (date, member) =>
      member === "now" ? () => runtime.wallNow() : (Reflect.get(date, member) as unknown),
  });
}

/** The ways out of the simulation that every host has; those of Node are the endpoints' affair. */
const realIo = ["fetch", "WebSocket", "EventSource", "XMLHttpRequest"];

function refused(what: string): () => never {
  return function refuse() {
    const message = `${what} is real I/O, which a simulation has no place for`;
    throw new SluiceError("SLUICE_REAL_IO", message, { what });
  };
}

/**
 * The host's clocks, timers and chance, in virtual time until disposed: code that uses them raw is simulated too. What
 * would leave the simulation throws `SLUICE_REAL_IO`.
 */
export function virtualGlobals(system: System): Disposable {
  const { runtime } = system;
  const { [Symbol.dispose]: cancelTimers, ...timers } = virtualTimers(system);
  const io: Record<string, unknown> = {};
  for (const what of realIo) if (what in globalThis) io[what] = refused(what);
  const restore = [
    replace(globalThis, { ...timers, Date: virtualDate(system), ...io }),
    replace(performance, { now: () => runtime.now() }),
    replace(Math, { random: () => runtime.random() }),
  ];
  return {
    [Symbol.dispose](): void {
      cancelTimers();
      for (const back of restore) back();
    },
  };
}

/** Puts other members in place; returns what takes them back. */
function replace(target: object, members: Record<string, unknown>): () => void {
  const before = Object.keys(members).map(
    (name) => [name, Object.getOwnPropertyDescriptor(target, name)] as const,
  );
  for (const [name, value] of Object.entries(members))
    Object.defineProperty(target, name, { value, configurable: true, writable: true });
  return () => {
    for (const [name, descriptor] of before) {
      if (descriptor === undefined) Reflect.deleteProperty(target, name);
      else Object.defineProperty(target, name, descriptor);
    }
  };
}
