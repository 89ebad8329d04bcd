import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { withSystem } from "../../process/index.ts";
import { currentSystem } from "../../runtime/internal.ts";
import type { Log } from "../../store/index.ts";
import { attach, type TelemetryEvents } from "../../telemetry/index.ts";
import type { Membership } from "../socket/membership.ts";
import type { HistoryEntry } from "./history-entry.ts";
import { LoggedSends } from "./logged-send.ts";
import { TopicTail } from "./topic-tail.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const silent = { tail: () => ({ [Symbol.dispose]() {} }) } as unknown as Log<HistoryEntry>;
const tailOf = (): TopicTail =>
  new TopicTail("feed", silent, { sends: new LoggedSends(), spread() {}, enter() {} });

it("sends a client to join again, and tells why, whose hold came to nothing before its answer was out", () =>
  withSystem(() => {
    const lost: TelemetryEvents["sluice.history.lost"][] = [];
    using _lost = attach("sluice.history.lost", (event) => lost.push(event));
    const tail = tailOf();
    let rejoins = 0;
    const membership = { rejoin: () => void rejoins++ } as Membership;
    tail.hold(membership, 1_000).fail("too much");
    tail.answered(membership);
    expect([rejoins, lost]).toEqual([1, [{ topic: "feed", why: "too much", clients: 1 }]]);
  }));

it("keeps nothing of who has left while the log does not answer: they try again for as long as that lasts", () =>
  withSystem(async () => {
    const tail = tailOf();
    const join = (): [Membership, WeakRef<Promise<unknown>>] => {
      const membership = {} as Membership;
      return [membership, new WeakRef(tail.heard(tail.hold(membership, 1_000)))];
    };
    const [[left, ofLeft], [, ofOther]] = [join(), join()];
    tail.leave(left);
    await new Promise<void>((resolve) => currentSystem().runtime.turn(resolve));
    collect();
    expect([ofLeft.deref(), ofOther.deref()]).toEqual([undefined, expect.any(Promise)]);
  }));
