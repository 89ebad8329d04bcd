import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../testing/internal.ts";
import { Exchange, type Question } from "./exchange.ts";
import { PresenceState } from "./presence-state.ts";
import type { Row, Slice } from "./row.ts";

const refs = (rows: Iterable<Row>): string[] => [...rows].map(({ ref }) => ref).toSorted();
const everything = (state: PresenceState, replicas: readonly string[]): string[] =>
  replicas.flatMap((replica) => refs(state.rowsOf(replica))).toSorted();

/** A replica that has heard of the others. */
function replica(self: string, others: readonly string[], maxRemovals?: number): PresenceState {
  const state = new PresenceState(self, maxRemovals);
  for (const other of others) state.know(other);
  return state;
}

/** Own acts by numbers: adds, and removes or updates of what is there. */
function act(state: PresenceState, choices: readonly number[]): void {
  for (const choice of choices) {
    const own = [...state.rowsOf(state.self)];
    const row = own[choice % Math.max(own.length, 1)];
    if (choice % 3 === 0 || row === undefined) state.add("t", `k${choice % 5}`, { choice });
    else if (choice % 3 === 1) state.remove(row);
    else state.add(row.topic, row.key, { choice }, undefined, row);
  }
}

/** All that `state` did since `from`, in pieces. */
function deltas(state: PresenceState, from: number, maxBytes = 1_000_000): Slice[] {
  const slices: Slice[] = [];
  for (let at = from; at < state.clock;) {
    const slice = state.delta(at, maxBytes)!;
    slices.push(slice);
    at = slice.to;
  }
  return slices;
}

/** Asks until nothing is left to be asked. */
function catchUp(asker: PresenceState, holder: PresenceState, maxBytes: number): number {
  const exchange = new Exchange(asker);
  const other = new Exchange(holder);
  exchange.note(holder.self, [[holder.self, holder.clock]], () => true);
  let rounds = 0;
  let questions: Question[] = exchange.due(0, 1);
  while (questions.length > 0) {
    rounds++;
    const give = other.answer(questions[0]!.ask, maxBytes);
    if (give === undefined) break;
    const { next } = exchange.take(give, 0);
    questions = next === undefined ? [] : [next];
  }
  return rounds;
}

const acts = fc.array(fc.nat(1_000), { maxLength: 12 });

describe("PresenceState", () => {
  it("adds, removes and updates, each a tick of its own clock (C106, L118)", () => {
    const a = replica("a", []);
    const one = a.add("t", "k", { n: 1 });
    const two = a.add("t", "k", { n: 2 }, undefined, one);
    expect([a.clock, two.prevRef, refs(a.rowsOf("a"))]).toEqual([2, one.ref, [two.ref]]);
    a.remove(two);
    expect([a.clock, refs(a.rowsOf("a"))]).toEqual([3, []]);
  });

  it("an update arrives as one join and one leave (C107, L118)", () => {
    const [a, b] = [replica("a", []), replica("b", ["a"])];
    const one = a.add("t", "k", { n: 1 });
    for (const slice of deltas(a, 0)) b.merge(slice);
    const before = a.clock;
    const two = a.add("t", "k", { n: 2 }, undefined, one);
    const { joins, leaves } = b.merge(deltas(a, before)[0]!);
    expect([refs(joins), refs(leaves)]).toEqual([[two.ref], [one.ref]]);
  });

  it("merges tell of each join once: the same again changes nothing (C107, L118)", () => {
    const [a, b] = [replica("a", []), replica("b", ["a"])];
    act(a, [0, 3, 6, 4, 9, 5]);
    const slices = deltas(a, 0);
    expect(slices.flatMap((slice) => refs(b.merge(slice).joins))).toEqual(refs(a.rowsOf("a")));
    for (const slice of slices) expect(b.merge(slice)).toEqual({ joins: [], leaves: [] });
  });

  it("a concurrent add beats a remove: only what was seen is removed (C107, L118)", () => {
    const [a, b] = [replica("a", ["b"]), replica("b", ["a"])];
    const old = a.add("t", "k", { from: "a" });
    for (const slice of deltas(a, 0)) b.merge(slice);
    a.remove(old);
    const added = b.add("t", "k", { from: "b" });
    for (const slice of deltas(b, 0)) a.merge(slice);
    for (const slice of deltas(a, 0)) b.merge(slice);
    expect(everything(a, ["a", "b"])).toEqual([added.ref]);
    expect(everything(b, ["a", "b"])).toEqual([added.ref]);
  });

  it("takes nothing of a replica that it does not know, or of its own (C107, C113, L118)", () => {
    const [a, b] = [replica("a", []), replica("b", [])];
    a.add("t", "k", {});
    const [slice] = deltas(a, 0);
    expect(b.merge(slice!).joins).toEqual([]);
    expect(a.merge({ ...slice!, rows: [] }).leaves).toEqual([]);
    expect(refs(a.rowsOf("a"))).toHaveLength(1);
  });

  it("forgets a replica whole: what comes of it later is new again (L118, L119)", () => {
    const [a, b] = [replica("a", []), replica("b", ["a"])];
    act(a, [0, 3, 6]);
    for (const slice of deltas(a, 0)) b.merge(slice);
    b.forget("a");
    expect([b.upTo("a"), refs(b.rowsOf("a"))]).toEqual([0, []]);
    b.know("a");
    expect(deltas(a, 0).flatMap((slice) => refs(b.merge(slice).joins))).toEqual(
      refs(a.rowsOf("a")),
    );
  });

  it("merge is commutative, associative and idempotent: pieces in any order, some twice, give the same (C107, L118)", () =>
    fc.assert(
      fc.property(
        fc.array(acts, { minLength: 2, maxLength: 4 }),
        fc.array(acts, { minLength: 2, maxLength: 4 }),
        fc.nat(2 ** 31),
        fc.constantFrom(100, 300, 100_000),
        (first, second, seed, maxBytes) => {
          const chance = seededRandom(seed);
          const ids = first.map((_, n) => `r${n}`);
          const origins = ids.map((id) => replica(id, []));
          const pieces: Slice[] = [];
          for (const rounds of [first, second])
            for (const [n, origin] of origins.entries()) {
              const before = origin.clock;
              act(origin, rounds[n] ?? []);
              pieces.push(...deltas(origin, before, maxBytes));
            }
          const expected = origins.flatMap((origin) => refs(origin.rowsOf(origin.self))).toSorted();
          for (let order = 0; order < 2; order++) {
            const seen = replica("seen", ids);
            const twice = pieces.filter(() => chance() < 0.3);
            const shuffled = [...pieces, ...twice]
              .map((piece) => ({ piece, at: chance() }))
              .toSorted((one, other) => one.at - other.at);
            for (const { piece } of shuffled) seen.merge(piece);
            expect(everything(seen, ids)).toEqual(expected);
            for (const origin of origins) expect(seen.upTo(origin.self)).toBe(origin.clock);
          }
        },
      ),
      { numRuns: 300 },
    ));

  it("with deltas lost, it converges by asking, whatever was removed meanwhile, and never shows a ghost (C112, C113, L119)", () =>
    fc.assert(
      fc.property(
        fc.array(fc.tuple(acts, fc.boolean(), fc.boolean()), { minLength: 1, maxLength: 8 }),
        fc.constantFrom(1, 3, 10_000),
        fc.constantFrom(150, 400, 100_000),
        (rounds, maxRemovals, maxBytes) => {
          const [a, b] = [replica("a", [], maxRemovals), replica("b", ["a"])];
          for (const [choices, isLost, asks] of rounds) {
            const before = a.clock;
            act(a, choices);
            const slice = a.delta(before, 100_000);
            if (!isLost && slice !== undefined) b.merge(slice);
            if (asks) {
              catchUp(b, a, maxBytes);
              expect(refs(b.rowsOf("a"))).toEqual(refs(a.rowsOf("a")));
            }
          }
          catchUp(b, a, maxBytes);
          expect(refs(b.rowsOf("a"))).toEqual(refs(a.rowsOf("a")));
          expect(b.upTo("a")).toBe(a.clock);
        },
      ),
      { numRuns: 500 },
    ));

  it("a removal that comes before the row says nothing else of the row's tick: what that removed is asked for (C106, L118)", () => {
    const [a, b] = [replica("a", []), replica("b", ["a"])];
    const first = a.add("t", "k", {});
    b.merge(a.delta(0, 10_000)!);
    const second = a.add("t", "k", {}, undefined, first);
    const late = a.delta(1, 10_000)!;
    a.remove(second);
    b.merge(a.delta(2, 10_000)!);
    expect([b.upTo("a"), refs(b.rowsOf("a"))]).toEqual([1, [first.ref]]);
    b.merge(late);
    expect([b.upTo("a"), refs(b.rowsOf("a"))]).toEqual([3, []]);
  });

  it("joins and removes are learned through a third replica (C112, L118)", () => {
    const [a, b, c] = [replica("a", []), replica("b", ["a"]), replica("c", ["a", "b"])];
    act(a, [0, 3, 6, 4]);
    for (const slice of deltas(a, 0)) b.merge(slice);
    const ask = (): void => {
      const exchange = new Exchange(c);
      exchange.note("b", [["a", b.upTo("a")]], () => true);
      const [question] = exchange.due(0, 1);
      expect(question!.to).toBe("b");
      exchange.take(new Exchange(b).answer(question!.ask, 100_000)!, 0);
    };
    ask();
    expect(refs(c.rowsOf("a"))).toEqual(refs(a.rowsOf("a")));
    const before = a.clock;
    act(a, [1, 1]);
    for (const slice of deltas(a, before)) b.merge(slice);
    ask();
    expect(refs(c.rowsOf("a"))).toEqual(refs(a.rowsOf("a")));
  });

  it("keeps removals up to a number: who missed less gets these, who missed more gets pages of what is there (C108, C113, L119)", () => {
    const a = replica("a", [], 2);
    const rows = [1, 2, 3, 4].map((n) => a.add("t", `k${n}`, { n }));
    for (const row of rows.slice(0, 3)) a.remove(row);
    expect(a.delta(4, 10_000)).toBeUndefined();
    expect(a.delta(5, 10_000)!.gone).toEqual([
      [6, 2],
      [7, 3],
    ]);
    const page = a.page("a", 0, a.clock, 10_000)!;
    expect([refs(page.rows), page.gone, page.to]).toEqual([[rows[3]!.ref], undefined, 7]);
    expect(a.page("a", 7, 7, 10_000)).toBeUndefined();
    expect(a.page("a", 0, 8, 10_000)).toBeUndefined();
  });

  it("a page that does not follow the one before it is not taken, nor an answer to another question", () => {
    const [a, b] = [replica("a", [], 1), replica("b", ["a"])];
    act(a, [0, 3, 6, 9, 12]);
    const exchange = new Exchange(b);
    exchange.note("a", [["a", a.clock]], () => true);
    const [question] = exchange.due(0, 1);
    const give = new Exchange(a).answer(question!.ask, 150)!;
    expect(give.slice.to).toBeLessThan(a.clock);
    expect(exchange.take({ ...give, ref: give.ref + 1 }, 0).next).toBeUndefined();
    expect(exchange.take({ ...give, from: "c" }, 0).next).toBeUndefined();
    const skipped = a.page("a", give.slice.to, a.clock, 10_000)!;
    expect(exchange.take({ ...give, slice: skipped }, 0).changes.joins).toEqual([]);
    expect(exchange.take(give, 0).next).toBeDefined();
  });

  it("asks the replica itself where another knows as much, again when there is no answer, and gives up in the end (C112, L116, L122)", () => {
    const b = replica("b", ["a", "c"]);
    const exchange = new Exchange(b);
    exchange.note("c", [["a", 5]], () => true);
    exchange.note("a", [["a", 5]], () => true);
    exchange.note("c", [["a", 4]], () => true);
    expect(exchange.due(0, 10).map(({ to }) => to)).toEqual(["a"]);
    expect(exchange.due(9, 10)).toEqual([]);
    expect(exchange.due(10, 10)).toHaveLength(1);
    expect(exchange.due(20, 10)).toHaveLength(1);
    expect([exchange.due(30, 10), exchange.open]).toEqual([[], 0]);
    exchange.note("c", [["a", 6]], (id) => id !== "a");
    expect(exchange.due(40, 10)).toEqual([]);
  });
});
