import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ExitReason } from "../support/index.ts";
import { attach } from "../telemetry/index.ts";
import { currentSystem } from "../runtime/index.ts";
import { simulate, type Simulation } from "../testing/index.ts";
import {
  Process,
  child,
  name,
  names,
  start,
  startDynamicSupervisor,
  startSupervisor,
  withSystem,
} from "./index.ts";

/** Runs a program in 50 schedules. */
async function simulated(program: (simulation: Simulation) => Promise<void>): Promise<void> {
  await simulate(program, { seeds: 50 });
}

let silence: Disposable;
beforeEach(() => void (silence = attach("sluice.log", () => {})));
afterEach(() => silence[Symbol.dispose]());

class Room extends Process {
  readonly topic: string;
  said: string[] = [];
  constructor(topic = "none") {
    super();
    this.topic = topic;
  }
  say(text: string): void {
    this.said.push(text);
  }
  heard(): readonly string[] {
    return this.said;
  }
  watch(to: ReturnType<typeof name<Room>>): void {
    this.self.monitor(to, () => {
      this.said.push(`${to.key} is ${to.whereis() === undefined ? "free" : "taken"}`);
    });
  }
  crash(): void {
    throw new Error("on purpose");
  }
}
const rooms = names<Room>("room");

describe("a family of names", () => {
  it("O30: has one owner per key; lists and counts who is there now, and nobody who has gone", () =>
    simulated(async ({ quiet }) => {
      await using staff = await startDynamicSupervisor();
      await using _other = await start(Room, { name: name<Room>("roommate") });
      expect([rooms.count(), rooms.all().size]).toEqual([0, 0]);
      const enter = (key: string) =>
        staff.call.startChild(child(Room, { name: rooms(key), restart: "temporary" }));
      const [lobby, kitchen] = [await enter("lobby"), await enter("a/kitchen")];
      expect([...rooms.all()].map(([key, { pid }]) => [key, pid])).toEqual([
        ["lobby", lobby.pid],
        ["a/kitchen", kitchen.pid],
      ]);
      await expect(enter("lobby")).rejects.toMatchObject({
        code: "SLUICE_ALREADY_REGISTERED",
        details: { key: "room/lobby", holder: { pid: lobby.pid } },
      });
      kitchen.cast.crash();
      await quiet();
      expect([rooms.count(), [...rooms.all().keys()]]).toEqual([1, ["lobby"]]);
    }));

  it("O30: tells all of them", () =>
    simulated(async () => {
      await using _app = await startSupervisor({
        strategy: "one_for_one",
        children: {
          one: child(Room, { name: rooms("one") }),
          two: child(Room, { name: rooms("two") }),
        },
      });
      for (const room of rooms.all().values()) room.cast.say("hello");
      expect(await rooms("one").call.heard()).toEqual(["hello"]);
      expect(await rooms("two").call.heard()).toEqual(["hello"]);
    }));

  it("O28: reaches one of several copies of a process by key", () =>
    simulated(async () => {
      const shards = names<Room>("shard");
      await using _app = await startSupervisor({
        strategy: "one_for_one",
        children: Object.fromEntries(
          [0, 1, 2].map((n) => [`shard${n}`, child(Room, { name: shards(`${n}`) })]),
        ),
      });
      const shardOf = (user: string) => shards(`${user.length % shards.count()}`);
      for (const user of ["ann", "bo", "kim", "al"]) shardOf(user).cast.say(user);
      const heard = await Promise.all(["0", "1", "2"].map((key) => shards(key).call.heard()));
      expect(heard).toEqual([["ann", "kim"], [], ["bo", "al"]]);
    }));

  it("can be bound to a system", () =>
    withSystem(async (system) => {
      await using _lobby = await start(Room, { name: rooms("lobby") });
      const bound = system.of(rooms);
      expect([bound.key, bound.count(), bound("lobby").whereis() !== undefined]).toEqual([
        "room",
        1,
        true,
      ]);
    }));

  it("has a text", () => {
    expect(() => names("")).toThrow('names: got "", expected a text');
    expect(() => name(5 as never)).toThrow("name: got 5, expected a text");
  });
});

describe("a name", () => {
  it("O29, O1: is registered before init, free after the end; a cast to it when free is no failure, a call is", () =>
    simulated(async ({ quiet }) => {
      const room = rooms("one");
      let during: unknown;
      class Curious extends Room {
        protected override init(): void {
          during = room.whereis()?.pid === this.self.pid;
        }
      }
      const running = await start(Curious, { name: room });
      expect(during).toBe(true);
      await running.stop();
      expect(room.whereis()).toBeUndefined();
      room.cast.say("to nobody");
      await expect(room.call.heard()).rejects.toMatchObject({ code: "SLUICE_NO_PROCESS" });
      // The ref of the dead leads to nobody, for ever: numbers are not used again.
      await using again = await start(Room, { name: room });
      expect(again.pid).not.toBe(running.pid);
      running.cast.say("to the dead");
      await quiet();
      expect(await again.call.heard()).toEqual([]);
    }));

  it("R30: of two starts that race for it one wins, the other is told who; nobody ever shares it", () =>
    simulated(async ({ random, always }) => {
      const room = rooms("contested");
      let owners = 0;
      class Owner extends Process {
        protected override init(): void {
          owners++;
        }
        protected override terminate(): void {
          owners--;
        }
        leave(): void {
          this.self.stop();
        }
      }
      const contested = names<Owner>("room")("contested");
      always("a name has one owner", () => owners <= 1);
      for (let round = 0; round < 5; round++) {
        const starts = Array.from({ length: 2 + Math.floor(random() * 3) }, () =>
          start(Owner, { name: contested }),
        );
        const settled = await Promise.allSettled(starts);
        const won = settled.filter(({ status }) => status === "fulfilled");
        expect(won).toHaveLength(1);
        const holder = contested.whereis();
        for (const result of settled) {
          if (result.status === "rejected")
            expect(result.reason).toMatchObject({
              code: "SLUICE_ALREADY_REGISTERED",
              details: { key: room.key, holder: { pid: holder?.pid } },
            });
        }
        for (const result of settled) if (result.status === "fulfilled") await result.value.stop();
      }
      expect(owners).toBe(0);
    }));

  it("R30: is free before a down is seen, however its owner ends", () =>
    simulated(async ({ quiet }) => {
      await using watcher = await start(Room);
      const ends: ((room: Awaited<ReturnType<typeof start<typeof Room>>>) => unknown)[] = [
        (room) => room.stop(),
        (room) => room.cast.crash(),
        (room) => room.stop("shutdown", { timeoutMs: 0 }),
      ];
      for (const end of ends) {
        const room = await start(Room, { name: rooms("one") });
        await watcher.call.watch(rooms("one"));
        await end(room);
        await quiet();
      }
      expect(await watcher.call.heard()).toEqual(ends.map(() => "room/one is free"));
    }));

  it("O31: whereis resolves at each use, so that what is sent goes to who has it now", () =>
    simulated(async ({ quiet }) => {
      const room = rooms("one");
      await using app = await startSupervisor({
        strategy: "one_for_one",
        children: { room: child(Room, { name: room }) },
      });
      const first = room.whereis()!;
      const reasons: ExitReason[] = [];
      class Watcher extends Process {
        protected override init(): void {
          this.self.monitor(room, (reason) => void reasons.push(reason));
        }
      }
      await using _watcher = await start(Watcher);
      room.cast.crash();
      await quiet();
      expect(room.whereis()?.pid).not.toBe(first.pid);
      room.cast.say("to the second");
      expect(await app.children.room.call.heard()).toEqual(["to the second"]);
      // A monitor is of the process that had the name, not of the name.
      expect(reasons).toMatchObject([{ crash: { message: "on purpose" } }]);
      expect(currentSystem().runtime.simulated).toBe(true);
    }));
});
