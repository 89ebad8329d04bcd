import { describe, expect, it } from "vitest";
import { currentSystem } from "../runtime/internal.ts";
import { simulate } from "../testing/index.ts";
import { Histories, historyBounds, takeSince, type Handover } from "./history.ts";

const past = (n: number, bytes = 10): { event: string; json: string; bytes: number } => ({
  event: "line",
  json: `{"n":${n}}`,
  bytes,
});
const offsets = ({ recent, replay }: Handover): readonly number[] =>
  (recent ?? replay).map(({ offset }) => offset);

function histories(
  body: (
    histories: Histories,
    joined: Set<string>,
    advance: (ms: number) => Promise<void>,
  ) => void | Promise<void>,
): Promise<unknown> {
  return simulate(
    async ({ advance }) => {
      const joined = new Set<string>();
      await body(
        new Histories(currentSystem().runtime, (topic) => joined.has(topic)),
        joined,
        advance,
      );
    },
    { seeds: 1 },
  );
}

describe("Histories", () => {
  it("hands over the newest, as many as are wanted, kept and fit", () =>
    histories((all) => {
      const bounds = historyBounds({ count: 4, onJoin: 3 });
      expect(all.handover("t", bounds, undefined, 1_000)).toMatchObject({
        place: { offset: 0 },
        recent: [],
      });
      for (let n = 1; n <= 6; n++) all.append("t", bounds, past(n));
      expect(offsets(all.handover("t", bounds, undefined, 1_000))).toEqual([4, 5, 6]);
      expect(offsets(all.handover("t", bounds, undefined, 25))).toEqual([5, 6]);
      const none = historyBounds({ count: 4 });
      expect(offsets(all.handover("t", none, undefined, 1_000))).toEqual([]);
      const more = historyBounds({ count: 4, onJoin: 100 });
      expect(offsets(all.handover("t", more, undefined, 1_000))).toEqual([3, 4, 5, 6]);
    }));

  it("replays what was missed, up to its bound, and says so when that is not all", () =>
    histories((all) => {
      const bounds = historyBounds({ count: 5, maxReplay: 3 });
      const { epoch } = all.append("t", bounds, past(1));
      for (let n = 2; n <= 8; n++) all.append("t", bounds, past(n));
      const since = (offset: number, life = epoch): unknown => {
        const handover = all.handover("t", bounds, { epoch: life, offset }, 1_000);
        return [(handover.place as { status: string }).status, ...offsets(handover)];
      };
      expect(since(8)).toEqual(["resumed"]);
      expect(since(5)).toEqual(["resumed", 6, 7, 8]);
      expect(since(4)).toEqual(["gap", 6, 7, 8]);
      expect(since(0)).toEqual(["gap", 6, 7, 8]);
      expect(since(9)).toEqual(["reset", 6, 7, 8]);
      expect(since(8, "other")).toEqual(["reset", 6, 7, 8]);
    }));

  it("forgets what has grown old", () =>
    histories(async (all, _joined, advance) => {
      const bounds = historyBounds({ ageMs: 1_000, onJoin: 10 });
      all.append("t", bounds, past(1));
      await advance(600);
      all.append("t", bounds, past(2));
      await advance(600);
      expect(offsets(all.handover("t", bounds, undefined, 1_000))).toEqual([2]);
    }));

  it("keeps a thousand topics that nobody has joined, the last touched, and all that somebody has", () =>
    histories((all, joined) => {
      const bounds = historyBounds({ onJoin: 1 });
      joined.add("t0");
      const lives = Array.from(
        { length: 1_200 },
        (_, n) => all.append(`t${n}`, bounds, past(n)).epoch,
      );
      const keeps = (n: number): boolean =>
        all.handover(`t${n}`, bounds, { epoch: lives[n]!, offset: 1 }, 100).place.epoch ===
        lives[n];
      expect(keeps(0)).toBe(true);
      expect(keeps(1_199)).toBe(true);
      expect(keeps(1)).toBe(false);
    }));

  it("neither keeps nor forgets a topic for a look at it: only what is written counts", () =>
    histories((all) => {
      const bounds = historyBounds({ onJoin: 1 });
      const { epoch } = all.append("kept", bounds, past(1));
      const first = all.handover("later", bounds, undefined, 100).place;
      for (let n = 0; n < 2_000; n++) all.handover(`looked/${n}`, bounds, undefined, 100);
      expect(offsets(all.handover("kept", bounds, { epoch, offset: 0 }, 100))).toEqual([1]);
      all.append("later", bounds, past(1));
      const later = all.handover("later", bounds, first, 100);
      expect(later.place).toMatchObject({ status: "resumed", offset: 1 });
      expect(offsets(later)).toEqual([1]);
    }));

  it("refuses bounds that are none", () => {
    for (const history of [{ count: 0 }, { bytes: 0.5 }, { onJoin: -1 }, { maxReplay: 0 }])
      expect(() => historyBounds(history)).toThrow(
        expect.objectContaining({ code: "SLUICE_INVALID_OPTION" }),
      );
  });
});

describe("takeSince", () => {
  it("takes the place out of the params, and nothing that is none", () => {
    const since = { epoch: "e", offset: 3 };
    expect(takeSince({ since, a: 1 })).toEqual({ params: { a: 1 }, since });
    for (const wrong of [
      1,
      null,
      "x",
      { epoch: 1, offset: 1 },
      { epoch: "e", offset: -1 },
      { epoch: "e" },
    ])
      expect(takeSince({ since: wrong, a: 1 })).toEqual({ params: { a: 1 }, since: undefined });
    for (const params of [null, "text", 1, [1], {}, { a: 1 }])
      expect(takeSince(params)).toEqual({ params, since: undefined });
  });
});
