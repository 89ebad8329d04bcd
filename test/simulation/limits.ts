import { Process, child, name, sleep, startSupervisor, stop, type Supervisor } from "sluice";
import { attach } from "sluice/telemetry";
import type { Simulation } from "sluice/testing";
import { judge } from "./judge.ts";

/** Crashes when it is told to, and works without hearing that it is to end. */
class Brittle extends Process {
  static working = 0;
  crash(): void {
    throw new Error("as told");
  }
  async work(fail: (what: string) => void): Promise<void> {
    if (++Brittle.working > 1) fail("two incarnations of an exclusive child work at once");
    await sleep(200, new AbortController().signal);
    Brittle.working--;
  }
}

/** Limits, to the number: a mailbox, restarts in a window, and a restart that waits for what was killed. */
export async function limits(simulation: Simulation): Promise<void> {
  using _silent = attach("sluice.log", () => {});
  simulation.calm();
  const { advance, random, quiet } = simulation;
  const fail = judge(simulation);
  Brittle.working = 0;
  const brittle = name<Brittle>("brittle");
  const house = name<Supervisor>("house");
  const allowed = 1 + Math.floor(random() * 4);
  const places = 1 + Math.floor(random() * 4);
  await startSupervisor({
    name: house,
    strategy: "one_for_one",
    maxRestarts: allowed,
    maxSeconds: 5,
    children: {
      brittle: child(Brittle, {
        name: brittle,
        maxMailbox: places,
        exclusive: true,
        shutdown: 50,
      }),
    },
  });
  // One in hand, one in each place, and one too many.
  brittle.cast.work(fail);
  await quiet();
  const calls = Array.from({ length: places + 1 }, () => brittle.call.work(fail));
  const settled = await Promise.allSettled(calls);
  const refused = settled.filter(({ status }) => status === "rejected").length;
  if (refused !== 1) fail(`${refused} calls were refused where one had no place`);

  // Killed while it works: the next one comes when it has ended, and not before.
  brittle.cast.work(fail);
  await quiet();
  await stop(brittle);
  await advance(50);
  if (brittle.whereis() !== undefined) fail("an exclusive child has come back too early");
  await advance(200);
  brittle.cast.work(fail);
  await advance(6_000);

  for (let nth = 1; nth <= allowed + 1; nth++) {
    if (brittle.whereis() === undefined) fail(`it gave up with ${nth - 1} of ${allowed} restarts`);
    brittle.cast.crash();
    await advance(100);
  }
  if (house.whereis() !== undefined) fail(`it goes on after ${allowed + 1} restarts`);
}
