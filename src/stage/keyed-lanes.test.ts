import { assert, constantFrom, integer, oneof, property, array, constant } from "fast-check";
import { describe, expect, it } from "vitest";
import type { Cell } from "../process/internal.ts";
import { Epochs } from "./epochs.ts";
import type { Intake } from "./intake.ts";
import { KeyedLanes } from "./keyed-lanes.ts";
import type { Arrival, Piece } from "./piece.ts";

interface Event {
  readonly key: number;
  readonly nr: number;
}

/** What may happen to lanes: events of these keys come, the next piece begins, the n-th open one ends. */
const steps = array(
  oneof(
    array(integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 5 }),
    constant("begin" as const),
    integer({ min: 0, max: 9 }),
  ),
  { maxLength: 60 },
);

describe("keyed lanes", () => {
  it("of each key one piece at a time, in order; whatever may begin does; nothing is lost, and no key is kept", () => {
    assert(
      property(steps, constantFrom(1, 2, 3), (given, most) => {
        const lanes = new KeyedLanes(
          {} as Cell,
          (event) => (event as Event).key,
          () => {},
        );
        const intake = { kept: undefined } as Intake;
        const epoch = new Epochs().current;
        const open: Piece[] = [];
        const begun: Event[] = [];
        let came = 0;
        const begin = (): boolean => {
          const piece = lanes.next(most);
          if (piece === undefined) return false;
          const events = piece.events as Event[];
          const keys = new Set(events.map(({ key }) => key));
          expect([keys.size, events.length <= most]).toEqual([1, true]);
          expect(open.some((other) => keys.has((other.events[0] as Event).key))).toBe(false);
          open.push(piece);
          begun.push(...events);
          return true;
        };
        const end = (index: number): void => {
          const [piece] = open.splice(index % open.length, 1);
          if (piece !== undefined) lanes.ended(piece);
        };
        for (const step of given) {
          if (step === "begin") begin();
          else if (typeof step === "number") end(step);
          else {
            const events = step.map((key) => ({ key, nr: came++ }));
            const arrival: Arrival = {
              intake,
              events,
              enteredMs: 0,
              epoch,
              start: 0,
              counted: events.length,
            };
            lanes.push(arrival);
          }
        }
        while (begin() || open.length > 0) if (open.length > 0) end(0);
        expect([begun.length, lanes.size, lanes.keys]).toEqual([came, 0, 0]);
        for (let key = 0; key < 5; key++) {
          const order = begun.filter((event) => event.key === key).map(({ nr }) => nr);
          expect(order).toEqual(order.toSorted((a, b) => a - b));
        }
      }),
    );
  });
});

describe("epochs", () => {
  it("a mark is reached once, when all before it has ended, whatever the order, and after the marks before it", () => {
    assert(
      property(array(integer({ min: 0, max: 20 }), { maxLength: 40 }), (given) => {
        const epochs = new Epochs();
        const open: (typeof epochs.current)[] = [];
        const told: number[] = [];
        const due: number[] = [];
        for (const [index, step] of given.entries()) {
          if (step < 10) {
            epochs.current.unfinished++;
            open.push(epochs.current);
          } else if (step < 15) {
            due.push(index);
            const before = [...open];
            epochs.mark(() => {
              expect(before.some((epoch) => open.includes(epoch))).toBe(false);
              told.push(index);
            });
          } else {
            const [epoch] = open.splice(step % Math.max(open.length, 1), 1);
            if (epoch !== undefined) epochs.end(epoch, 1);
          }
        }
        for (const epoch of open.splice(0)) epochs.end(epoch, 1);
        expect(told).toEqual(due);
      }),
    );
  });
});
