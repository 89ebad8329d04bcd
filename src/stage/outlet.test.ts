import { describe, expect, it } from "vitest";
import { Inbox } from "../../test/stage/inbox.ts";
import { byHand, quietly } from "../../test/stage/probing.ts";
import { start } from "../process/index.ts";
import { simulate } from "../testing/index.ts";

describe("afterBuffered", () => {
  it("S35, G37: runs as the next message where nothing is buffered", async () => {
    await simulate(
      async ({ quiet }) => {
        const log: string[] = [];
        await using inbox = await start(Inbox);
        inbox.cast.note(log, "now");
        await quiet();
        expect(log).toEqual(["now"]);
      },
      { seeds: 5 },
    );
  });

  it("S37–S39, S42: runs when what was buffered then is out, in order, however much came since", async () => {
    await simulate(
      async ({ quiet }) => {
        const log: string[] = [];
        const seen = byHand<string>();
        await using inbox = await start(Inbox);
        await using _consumer = await start(seen.stage, { subscribeTo: [inbox] });
        await inbox.call.push(["a", "b", "c"]);
        for (const line of ["d", "e", "f"]) inbox.cast.note(log, line);
        await inbox.call.push(["g", "h"]);
        inbox.cast.note(log, "i");
        seen.ask(2);
        await quiet();
        expect(log).toEqual([]);
        seen.ask(2);
        await quiet();
        expect(log).toEqual(["d", "e", "f"]);
        seen.ask(1);
        await quiet();
        expect(log).toEqual(["d", "e", "f", "i"]);
      },
      { seeds: 10 },
    );
  });

  it("S41, G35: keeping the last, it runs when the event before it is let go", async () => {
    await simulate(
      async ({ quiet }) => {
        using _silent = quietly();
        const log: string[] = [];
        await using inbox = await start(Inbox, { bufferSize: 3 });
        await inbox.call.push(["a", "b", "c"]);
        inbox.cast.note(log, "after c");
        await inbox.call.push(["d", "e"]);
        await quiet();
        expect(log).toEqual([]);
        await inbox.call.push(["f"]);
        await quiet();
        expect(log).toEqual(["after c"]);
      },
      { seeds: 5 },
    );
  });

  it("G35: keeping the first, events that are let go bring it no nearer", async () => {
    await simulate(
      async ({ quiet }) => {
        using _silent = quietly();
        const log: string[] = [];
        const seen = byHand<string>();
        await using inbox = await start(Inbox, { bufferSize: 2, bufferKeep: "first" });
        await using _consumer = await start(seen.stage, { subscribeTo: [inbox] });
        await inbox.call.push(["a", "b"]);
        inbox.cast.note(log, "after b");
        await inbox.call.push(["c", "d"]);
        await quiet();
        expect(log).toEqual([]);
        seen.ask(2);
        await quiet();
        expect(log).toEqual(["after b"]);
      },
      { seeds: 5 },
    );
  });

  it("waits for offers that wait, too", async () => {
    await simulate(
      async ({ quiet }) => {
        const log: string[] = [];
        const seen = byHand<string>();
        await using inbox = await start(Inbox, { bufferSize: 1 });
        await using _consumer = await start(seen.stage, { subscribeTo: [inbox] });
        inbox.cast.offered(["a", "b", "c"]);
        inbox.cast.note(log, "after c");
        seen.ask(2);
        await quiet();
        expect(log).toEqual([]);
        seen.ask(1);
        await quiet();
        expect(log).toEqual(["after c"]);
      },
      { seeds: 5 },
    );
  });
});
