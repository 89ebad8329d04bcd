import { expect, it } from "vitest";
import {
  Process,
  Producer,
  child,
  consumer,
  consumerSupervisor,
  map,
  name,
  sleep,
  startSupervisor,
  withSystem,
  type ProducerConsumer,
} from "sluice";
import { attach } from "sluice/telemetry";
import { simulate } from "sluice/testing";

/** What is left when all is done, whatever the order in which it was done. */
interface Final {
  readonly accepted: number;
  readonly perKey: { readonly [key: string]: readonly number[] };
  readonly tasks: readonly number[];
  readonly restarts: number;
  readonly sum: number;
}

/** Offers through a small buffer, a slow processor, a keeper that crashes once and is told again, and a task per event. */
async function scenario(): Promise<Final> {
  using _silent = attach("sluice.log", () => {});
  class Inbox extends Producer<number> {
    put(n: number): Promise<void> {
      return this.offer([n]);
    }
  }
  class Keeper extends Process {
    static restarts = -1;
    #sum = 0;
    protected override init(): void {
      Keeper.restarts++;
    }
    add(n: number): number {
      if (n === 13 && Keeper.restarts === 0) throw new Error("an unlucky number");
      return (this.#sum += n);
    }
  }
  const inbox = name<Inbox>("inbox");
  const chores = name<Inbox>("chores");
  const doubled = name<ProducerConsumer<number, number>>("doubled");
  const keeper = name<Keeper>("keeper");
  const perKey: Record<string, number[]> = {};
  const tasks: number[] = [];
  const done = Promise.withResolvers<void>();
  const ended = (): void => {
    if (Object.values(perKey).flat().length === 40 && tasks.length === 40) done.resolve();
  };
  await using _app = await startSupervisor({
    strategy: "one_for_one",
    children: {
      inbox: child(Inbox, { name: inbox, bufferSize: 2 }),
      chores: child(Inbox, { name: chores, bufferSize: 2 }),
      doubled: child(
        map(async (n: number) => {
          await sleep(n % 3);
          return n * 2;
        }),
        { name: doubled, subscribeTo: [{ to: inbox, maxDemand: 4 }] },
      ),
      byKey: child(
        consumer(async (events: readonly number[]) => {
          await sleep(1);
          for (const n of events) (perKey[n % 5] ??= []).push(n);
          ended();
        }),
        { subscribeTo: [{ to: doubled, maxDemand: 6 }] },
      ),
      tasks: consumerSupervisor(
        async (n: number) => {
          await sleep(n % 4);
          tasks.push(n);
          ended();
        },
        { restart: "temporary", subscribeTo: [{ to: chores, maxDemand: 3 }] },
      ),
      keeper: child(Keeper, { name: keeper }),
    },
  });
  let accepted = 0;
  let sum = 0;
  for (let n = 0; n < 40; n++) {
    await inbox.call.put(n);
    await chores.call.put(n);
    accepted++;
    sum = await keeper.call.add(n).catch(() => sleep(5).then(() => keeper.call.add(n)));
  }
  await done.promise;
  return {
    accepted,
    perKey,
    tasks: tasks.toSorted((a, b) => a - b),
    restarts: Keeper.restarts,
    sum,
  };
}

it("R20: the same scenario leaves the same behind, simulated and in real time", async () => {
  const real = await withSystem(scenario);
  expect(real).toMatchObject({ accepted: 40, restarts: 1 });
  await simulate(async () => expect(await scenario()).toEqual(real), { seeds: 20 });
});
