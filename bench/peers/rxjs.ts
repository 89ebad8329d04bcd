// Observables push: there is no demand, so these rows show what the same graph costs without back-pressure.
import { connect, groupBy, lastValueFrom, map, merge, mergeMap, of, range, reduce } from "rxjs";
import type { Observable } from "rxjs";
import { addOne, item, laneOf, lanes, processed, settled, weigh } from "../workloads.ts";
import type { Bench } from "../workloads.ts";

const add = (sum: number, n: number): number => sum + n;

const bench =
  (events: (count: number) => Observable<number>): Bench =>
  (count) => {
    const total = events(count).pipe(reduce(add, 0));
    return { run: () => lastValueFrom(total) };
  };

export const W1O: Bench = (count) => {
  const total = range(0, count).pipe(
    map(item),
    reduce((sum, event) => sum + weigh(event), 0),
  );
  return { run: () => lastValueFrom(total) };
};

export const W2O: Bench = (count) => {
  const total = range(0, count).pipe(
    map(item),
    map(processed),
    reduce((sum, event) => sum + weigh(event), 0),
  );
  return { run: () => lastValueFrom(total) };
};

export const W1: Bench = bench((count) => range(0, count));
export const W6: Bench = W1;

/** One subject that all consumers subscribed to. */
export const W4: Bench = (count) => {
  const consumers = (shared: Observable<number>): Observable<number> =>
    merge(...Array.from({ length: lanes }, () => shared.pipe(reduce(add, 0)))).pipe(reduce(add, 0));
  const total = range(0, count).pipe(connect(consumers));
  return { run: () => lastValueFrom(total) };
};

export const W5: Bench = bench((count) =>
  range(0, count).pipe(
    groupBy(laneOf),
    mergeMap((partition) => partition.pipe(reduce(add, 0))),
  ),
);

const chain = (depth: number): Bench =>
  bench((count) => {
    let events = range(0, count);
    for (let stage = 0; stage < depth; stage++) events = events.pipe(map(addOne));
    return events;
  });

export const W8d1: Bench = chain(1);
export const W8d4: Bench = chain(4);
export const W8d16: Bench = chain(16);

/** A child is an inner observable, a hundred at a time; an error of one ends all. */
export const W7: Bench = bench((count) => range(0, count).pipe(mergeMap((n) => of(n), 100)));

export const W7A: Bench = bench((count) =>
  range(0, count).pipe(
    mergeMap(async (n) => {
      await settled;
      return n;
    }, 100),
  ),
);
