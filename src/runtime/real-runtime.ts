import type { Alarm, Runtime } from "./runtime.ts";

/** The longest delay a host timer takes; longer ones ring early and are armed again. */
const longestTimerMs = 2 ** 31 - 1;

/** `setImmediate` where there is one, else a message to oneself: both let timers and sockets live. */
function makeTurn(): (run: () => void) => void {
  const { setImmediate } = globalThis;
  if (typeof setImmediate === "function") return (run) => void setImmediate(run);
  const { port1, port2 } = new MessageChannel();
  const waiting: (() => void)[] = [];
  port1.onmessage = () => waiting.shift()?.();
  return (run) => {
    waiting.push(run);
    port2.postMessage(undefined);
  };
}

/** The Runtime of Node and of browsers: with the timers that they have now, whoever puts others in their place later. */
export function realRuntime(): Runtime {
  const { setTimeout, clearTimeout, performance } = globalThis;
  const now = performance.now.bind(performance);
  return {
    now,
    wallNow: () => Date.now(),
    random: () => Math.random(),
    soon: (run) => queueMicrotask(run),
    turn: makeTurn(),
    alarm(ms: number, ring: () => void): Alarm {
      const timer = setTimeout(ring, Math.min(Math.max(Math.ceil(ms), 0), longestTimerMs));
      return {
        cancel: () => clearTimeout(timer),
        hold(held) {
          // A browser has no such thing: a page is open until it is closed.
          if (typeof timer === "object") void (held ? timer.ref() : timer.unref());
        },
      };
    },
    simulated: false,
  };
}
