// Observables push: there is no demand, so these rows show what the same graph costs without back-pressure.
import { lastValueFrom, map, mergeMap, of, range, reduce } from "rxjs";
import type { Observable } from "rxjs";
import { item, processed, settled, weigh } from "../workloads.ts";
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

export const W6: Bench = bench((count) => range(0, count));

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
