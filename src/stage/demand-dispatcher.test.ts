import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DispatcherBench, seededRandom } from "../testing/internal.ts";
import { demandDispatcher, type DemandOptions } from "./demand-dispatcher.ts";
import type { Dispatching, Subscriber } from "./dispatcher.ts";

type Delivered = readonly [tag: number, events: readonly number[]];

/** A dispatcher with subscribers 1 … `count`, and what it hands out. */
function dispatching(count: number): {
  readonly dispatcher: Dispatching<number>;
  readonly of: (tag: number) => Subscriber;
  readonly ask: (tag: number, count: number) => void;
  readonly dispatch: (events: readonly number[]) => {
    readonly taken: number;
    readonly delivered: readonly Delivered[];
  };
} {
  const bench = new DispatcherBench<number>(demandDispatcher());
  for (let tag = 1; tag <= count; tag++) bench.subscribe(tag);
  return {
    dispatcher: bench.dispatching,
    of: (tag) => bench.subscribers.get(tag)!,
    ask: (tag, more) => bench.ask(tag, more),
    dispatch(events) {
      const { taken, handed } = bench.dispatch(events);
      return { taken, delivered: handed };
    },
  };
}

describe("DemandDispatching", () => {
  it("D1: knows no demand before anybody has asked, and none after everybody has gone", () => {
    const { dispatcher, of, ask } = dispatching(2);
    expect(dispatcher.demand).toBe(0);
    ask(1, 10);
    dispatcher.cancel(of(1));
    dispatcher.cancel(of(2));
    expect(dispatcher.demand).toBe(0);
  });

  it("D2: the demand of who has gone is gone: what nobody wants is not taken", () => {
    const { dispatcher, of, ask, dispatch } = dispatching(2);
    ask(1, 10);
    dispatcher.cancel(of(1));
    expect(dispatch([1, 2, 3])).toEqual({ taken: 0, delivered: [] });
    ask(2, 5);
    expect(dispatcher.demand).toBe(5);
  });

  it("D3: two subscribers, one cancels: the other gets what it asked for and no more", () => {
    const { dispatcher, of, ask, dispatch } = dispatching(2);
    ask(1, 4);
    ask(2, 3);
    dispatcher.cancel(of(1));
    expect(dispatch([1, 2, 3, 4, 5])).toEqual({ taken: 3, delivered: [[2, [1, 2, 3]]] });
  });

  it("D4: takes in part, exactly, and what is beyond the demand stays", () => {
    const { dispatcher, ask, dispatch } = dispatching(1);
    ask(1, 3);
    expect(dispatch([1])).toEqual({ taken: 1, delivered: [[1, [1]]] });
    expect(dispatcher.demand).toBe(2);
    expect(dispatch([2, 3])).toEqual({ taken: 2, delivered: [[1, [2, 3]]] });
    expect(dispatch([4, 5])).toEqual({ taken: 0, delivered: [] });
    ask(1, 1);
    expect(dispatch([4, 5])).toEqual({ taken: 1, delivered: [[1, [4]]] });
  });

  it("D5, G72, G73: the highest demand goes first and takes all it asked for, in one message, then the next; asks add up", () => {
    const { ask, dispatch } = dispatching(3);
    ask(1, 4);
    ask(2, 5);
    ask(3, 1);
    ask(3, 5);
    const { delivered } = dispatch([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(delivered.map(([tag, { length }]) => [tag, length])).toEqual([
      [3, 6],
      [2, 5],
      [1, 1],
    ]);
  });

  it("D6, G73: who asked for most gets the whole list, uncopied, if its demand covers it", () => {
    const { dispatcher, ask, dispatch } = dispatching(1);
    ask(1, 10);
    const events = [1, 2, 3];
    expect(dispatch(events).delivered[0]![1]).toBe(events);
    expect(dispatcher.demand).toBe(7);
  });

  it("D6, G72: among equals, who came to that demand first; served in part, one stands behind its new equals", () => {
    const { ask, dispatch } = dispatching(2);
    ask(1, 3);
    ask(2, 3);
    expect(dispatch([1, 2]).delivered).toEqual([[1, [1, 2]]]);
    expect(dispatch([3, 4]).delivered).toEqual([[2, [3, 4]]]);
    expect(dispatch([5]).delivered).toEqual([[1, [5]]]);
    expect(dispatch([6, 7]).delivered).toEqual([[2, [6]]]);
  });

  it("E9: who has asked for nothing never stands in the way", () => {
    const { ask, dispatch } = dispatching(3);
    ask(3, 1);
    expect(dispatch([1]).delivered).toEqual([[3, [1]]]);
  });

  it("D7, E9, G77: shuffled, the first dispatch goes by lot, past who has asked for nothing; later ones by demand", () => {
    const firsts = new Set<number>();
    for (let seed = 1; seed <= 40; seed++) {
      const random = seededRandom(seed);
      const bench = new DispatcherBench<number>(demandDispatcher({ shuffle: true }), random);
      for (const tag of [1, 2, 3]) bench.subscribe(tag);
      bench.ask(1, 3);
      bench.ask(2, 2);
      const { taken, handed } = bench.dispatch([1, 2, 3, 4, 5]);
      expect([taken, handed.map(([, { length }]) => length).toSorted((a, b) => a - b)]).toEqual([
        5,
        [2, 3],
      ]);
      firsts.add(handed[0]![0]);
      bench.ask(2, 1);
      bench.ask(3, 2);
      expect(bench.dispatch([6]).handed).toEqual([[3, [6]]]);
    }
    expect(firsts).toEqual(new Set([1, 2]));
  });

  it("E9: shuffled, whom the lot leaves nothing gets no empty batch", () => {
    const bench = new DispatcherBench<number>(demandDispatcher({ shuffle: true }));
    for (const tag of [1, 2, 3]) {
      bench.subscribe(tag);
      bench.ask(tag, 2);
    }
    expect(bench.dispatch([1]).handed).toEqual([[expect.any(Number), [1]]]);
    expect(bench.demand).toBe(5);
  });

  it("D9, G76: an ask above the ceiling is warned of and still honoured", () => {
    const bench = new DispatcherBench<number>(demandDispatcher({ maxDemand: 3 }));
    bench.subscribe(1);
    bench.ask(1, 3);
    expect(bench.warnings).toEqual([]);
    bench.ask(1, 4);
    expect([bench.warnings.length, bench.demand]).toEqual([1, 7]);
  });

  it.each([
    [{ maxDemand: 0 }, "maxDemand"],
    [{ shuffle: 1 }, "shuffle"],
  ])("%o is refused where it is written", (options, option) => {
    expect(() => demandDispatcher(options as DemandOptions)).toThrow(
      expect.objectContaining({ details: expect.objectContaining({ option }) as unknown }),
    );
  });

  it("a second cancel changes nothing", () => {
    const { dispatcher, of, ask } = dispatching(2);
    ask(1, 2);
    ask(2, 2);
    dispatcher.cancel(of(1));
    dispatcher.cancel(of(1));
    expect(dispatcher.demand).toBe(2);
  });
});

const tag = fc.integer({ min: 1, max: 4 });
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ ask: fc.integer({ min: 1, max: 5 }), tag }) },
  { weight: 3, arbitrary: fc.record({ dispatch: fc.integer({ min: 1, max: 8 }) }) },
  { weight: 1, arbitrary: fc.record({ cancel: tag }) },
);

describe("DemandDispatching against a sorted list", () => {
  it("hands the same events to the same subscribers in the same order, never more than they asked for", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { dispatcher, of, ask, dispatch } = dispatching(4);
        let list: { readonly tag: number; readonly demand: number }[] = [];
        /** Behind its equals, before the first that wants less. */
        const insert = (entry: { readonly tag: number; readonly demand: number }): void => {
          const place = list.findIndex(({ demand }) => demand < entry.demand);
          list.splice(place === -1 ? list.length : place, 0, entry);
        };
        const without = (gone: number): number => {
          const before = list.find(({ tag }) => tag === gone)?.demand ?? 0;
          list = list.filter(({ tag }) => tag !== gone);
          return before;
        };
        let last = 0;
        for (const one of steps) {
          if ("ask" in one) {
            insert({ tag: one.tag, demand: without(one.tag) + one.ask });
            ask(one.tag, one.ask);
          } else if ("cancel" in one) {
            without(one.cancel);
            dispatcher.cancel(of(one.cancel));
          } else {
            const events = Array.from({ length: one.dispatch }, () => ++last);
            const expected: Delivered[] = [];
            let start = 0;
            while (start < events.length && list.length > 0) {
              const { tag: first, demand } = list.shift()!;
              const size = Math.min(demand, events.length - start);
              expected.push([first, events.slice(start, start + size)]);
              start += size;
              if (demand > size) insert({ tag: first, demand: demand - size });
            }
            expect(dispatch(events)).toEqual({ taken: start, delivered: expected });
          }
          expect(dispatcher.demand).toBe(list.reduce((sum, { demand }) => sum + demand, 0));
        }
      }),
    );
  });
});
