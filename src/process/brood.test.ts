import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { Brood } from "./brood.ts";
import type { Cell } from "./cell.ts";
import { ProcessTable } from "./process-table.ts";

/** As much of a process as lists of processes look at. */
const cell = (id: number): Cell =>
  ({ id, pid: `p#${id}`, ref: { pid: `p#${id}` } }) as unknown as Cell;

const steps = fc.array(fc.tuple(fc.boolean(), fc.nat()), { maxLength: 40 });

describe("Brood", () => {
  it("holds the children in start order, whoever goes when", () =>
    fc.assert(
      fc.property(steps, (steps) => {
        const brood = new Brood();
        const model: Cell[] = [];
        let id = 0;
        for (const [adds, n] of steps) {
          if (adds || model.length === 0) {
            const child = cell(id++);
            brood.add(child);
            model.push(child);
          } else brood.remove(model.splice(n % model.length, 1)[0]!);
          expect([...brood]).toEqual(model);
          expect(brood.size).toBe(model.length);
        }
      }),
    ));

  it("is iterated to its end while the child at hand goes", () => {
    const brood = new Brood();
    const children = [0, 1, 2].map(cell);
    for (const child of children) brood.add(child);
    const seen: Cell[] = [];
    for (const child of brood) {
      seen.push(child);
      brood.remove(child);
    }
    expect([seen, brood.size]).toEqual([children, 0]);
  });

  it("keeps no child that has gone", () => {
    const brood = new Brood();
    const [one, two] = [cell(1), cell(2)];
    brood.add(one);
    brood.add(two);
    brood.remove(one);
    brood.remove(two);
    expect([one.younger, two.elder, brood.eldest, brood.youngest]).toEqual(
      Array.from({ length: 4 }, () => undefined),
    );
  });
});

describe("ProcessTable", () => {
  it("holds who has been added and not removed", () =>
    fc.assert(
      fc.property(steps, (steps) => {
        const table = new ProcessTable();
        const model = new Set<Cell>();
        let id = 0;
        for (const [adds, n] of steps) {
          if (adds || model.size === 0) {
            const process = cell(id++);
            table.add(process);
            model.add(process);
          } else {
            const process = [...model][n % model.size]!;
            table.remove(process);
            model.delete(process);
            expect([process.before, process.after]).toEqual([undefined, undefined]);
          }
          expect(new Set(table)).toEqual(model);
          expect(table.count).toBe(model.size);
        }
      }),
    ));

  it("forgets the address of one that is removed", () => {
    const table = new ProcessTable();
    const process = cell(7);
    table.add(process);
    table.addressed.set(7, process);
    table.remove(process);
    expect(table.addressed.size).toBe(0);
  });

  it("O30: gives a name to one at a time", () => {
    const table = new ProcessTable();
    const [one, two] = [cell(1), cell(2)];
    table.register("name", one);
    expect(() => table.register("name", two)).toThrow("the name name belongs to p#1");
    expect(table.names.get("name")).toBe(one);
  });
});
